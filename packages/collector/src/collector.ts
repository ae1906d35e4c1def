/**
 * Composition root: chooses adapters, starts in order, stops in reverse.
 *
 *   start  data directory → OTLP port (503) → store → journal, replay → intake opens → UI port
 *   stop   intake closes (503) → OTLP port → last tick, batches, checkpoint → the rest in reverse
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { CollectorConfig } from './config/config.ts'
import { takeDataDir } from './config/data-dir.ts'
import { CollectorError, reasonOf } from './errors.ts'
import { createLocalJournal } from './journal/local/local-journal.ts'
import { Changes } from './lib/changes.ts'
import type { Clock } from './lib/clock.ts'
import { deadlineAfter } from './lib/deadline.ts'
import { createCheckpoints } from './pipeline/checkpoint-file.ts'
import { Intake } from './pipeline/intake.ts'
import { ShardHost } from './pipeline/shard-host.ts'
import { collectStatus, observe, payloadsRejected } from './pipeline/status.ts'
import { createOtlpHttpReceiver } from './receive/otlp-http.ts'
import type { Log } from './telemetry/log.ts'
import { receiverEvents } from './telemetry/receiver-events.ts'
import { SelfMetrics } from './telemetry/self-metrics.ts'
