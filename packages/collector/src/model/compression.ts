/** How a payload is packed: as its sender's `Content-Encoding` said, and kept so until it is read. */
export type Compression = 'identity' | 'gzip' | 'zstd'
