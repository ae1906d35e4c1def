import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { end, load, step } from './steps.mjs'

const [clientUrl, port] = process.argv.slice(2)
const { PrismaClient } = await import(clientUrl)
const options = { host: '127.0.0.1', port: Number(port), user: 'root' }
const mariadb = await load('mariadb', 'import')
const setUp = await mariadb.createConnection(options)
await setUp.query('CREATE DATABASE IF NOT EXISTS prisma')
await setUp.query('CREATE TABLE IF NOT EXISTS prisma.Ware (id INT PRIMARY KEY, mail VARCHAR(80))')
await setUp.end()
const client = new PrismaClient({ adapter: new PrismaMariaDb({ ...options, database: 'prisma' }) })
await client.$connect()
await step('find', () => client.ware.findMany({ where: { mail: 'secret' } }))
await client.$disconnect()
end()
