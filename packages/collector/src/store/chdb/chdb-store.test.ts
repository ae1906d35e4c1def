/** The embedded engine against the ports' contract. */
import { storeContract } from '../store.contract.testkit.ts'
import { openChdbStore } from './chdb-store.testkit.ts'

storeContract(openChdbStore)
