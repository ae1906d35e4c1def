/** What the tracer calls itself on the wire. A test holds the version to package.json's. */
export const SDK_NAME = 'spanloom'
export const SDK_VERSION = '0.1.0'
