import { end, failure, step } from './steps.mjs'

const [generated, port] = process.argv.slice(2)
const { PrismaClient } = await import(generated)
const { PrismaPg } = await import('@prisma/adapter-pg')

const connectionString = `postgres://postgres@127.0.0.1:${port}/postgres`
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString, max: 1 }) })
await prisma.$executeRawUnsafe('DROP TABLE IF EXISTS "Order"')
await prisma.$executeRawUnsafe('CREATE TABLE "Order" (id serial PRIMARY KEY, mail text UNIQUE)')

await step('create', () => prisma.order.create({ data: { mail: 'secret' } }))
await step('find', () => prisma.order.findMany({ where: { mail: 'secret' } }))
await step('transaction', () =>
  prisma.$transaction(async (inner) => {
    await inner.order.update({ where: { mail: 'secret' }, data: { mail: 'secret too' } })
    await inner.order.count()
  })
)
await step('failure', () => failure(prisma.order.create({ data: { id: 1, mail: 'secret' } })))
await Promise.all(
  ['one', 'two'].map((each) =>
    step(`overlap ${each}`, () => prisma.order.findFirst({ where: { mail: each } }))
  )
)
await prisma.$disconnect()
end()
