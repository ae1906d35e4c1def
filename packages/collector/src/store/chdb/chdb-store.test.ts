/** The embedded engine against the ports' contract. */
import { vi } from 'vitest'
import { findTracesContract } from '../find-traces.contract.testkit.ts'
import { storeContract } from '../store.contract.testkit.ts'
import { openChdbStore } from './chdb-store.testkit.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

storeContract(openChdbStore)
findTracesContract(openChdbStore)
