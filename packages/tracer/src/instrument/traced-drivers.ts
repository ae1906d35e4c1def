/**
 * Systems, by their `db.system.name`, whose driver is traced here: what has queries of its own to tell of, and a
 * driver below it, leaves them to the driver.
 */
export const tracedDrivers: Set<string> = new Set()
