const PACKAGE_MANAGER =
  /[\\/](?:(?:npm|npx|yarn|pnpm|corepack)|(?:npm|npx)-cli\.js|yarn(?:-[\w.-]+)?\.c?js|pnpm\.[cm]js|corepack\.js)$/

/** Whether a process is npm or its like, which NODE_OPTIONS reaches on the way to the app. */
export function isPackageManager(script: string | undefined): boolean {
  return script !== undefined && PACKAGE_MANAGER.test(script)
}
