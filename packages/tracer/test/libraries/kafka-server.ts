/** A real Kafka of one node, where Java and the jars are there (scripts/fetch-kafka.sh, KAFKA_JARS). */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startProgram, temporaryFolder } from './brokers.ts'
import { freePort, type RunningServer } from './servers.ts'

const jars = process.env.KAFKA_JARS ?? '/tmp/kafka-jars'
const JAVA = '/usr/bin/java'

export function kafkaAvailable(): boolean {
  if (existsSync(JAVA) && existsSync(jars)) return true
  const what = `Java or Kafka's jars in ${jars} are missing; run scripts/fetch-kafka.sh`
  if (process.env.CI === 'true') throw new Error(what)
  console.warn(`Skipped: ${what}`)
  return false
}

export async function startKafka(): Promise<RunningServer> {
  const folder = temporaryFolder('kafka')
  const [port, controllerPort] = [await freePort(), await freePort()]
  const properties = join(folder, 'server.properties')
  writeFileSync(
    properties,
    Object.entries({
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
      'log.dirs': join(folder, 'data'),
      'num.partitions': 1,
      'offsets.topic.num.partitions': 1,
      'offsets.topic.replication.factor': 1,
      'transaction.state.log.replication.factor': 1,
      'transaction.state.log.min.isr': 1,
      'group.initial.rebalance.delay.ms': 0
    })
      .map(([key, value]) => `${key}=${value}\n`)
      .join('')
  )
  const java = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', `${jars}/*`]
  // Joined by =, because an id may begin with a hyphen.
  const id = randomBytes(16).toString('base64url')
  const format = ['kafka.tools.StorageTool', 'format', `--cluster-id=${id}`, '-c', properties]
  const { status, stderr } = spawnSync(JAVA, [...java, ...format], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`format: ${stderr}`)
  return startProgram(JAVA, [...java, 'kafka.Kafka', properties], port, folder)
}
