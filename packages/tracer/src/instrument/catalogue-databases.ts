/** The part of the catalogue that is databases, search engines and caches. */
import { type Entry, filesOf } from './registry.ts'

export const DATABASES: readonly Entry[] = [
  {
    name: 'postgres',
    code: 'postgres',
    library: '`postgres`',
    versions: '3, from 3.1',
    span: 'CLIENT, `SELECT orders`, from when it is asked for; text with every literal as `?`, operation, table, database, server address; SQLSTATE on an error',
    modules: filesOf(
      'postgres',
      [3],
      ['cjs/src/query.js', 'query'],
      ['src/query.js', 'query', 'Query'],
      ['cjs/src/types.js', 'types'],
      ['src/types.js', 'types', 'stringify']
    )
  },
  {
    name: 'mysql',
    code: 'mysql',
    library: '`mysql`',
    versions: '2',
    span: 'CLIENT, `SELECT orders`; text with every literal as `?`, operation, table, database, server address; SQLSTATE on an error',
    modules: filesOf('mysql', [2], ['lib/Connection.js', 'connection'], ['lib/Pool.js', 'pool'])
  },
  {
    name: 'mariadb',
    code: 'mariadb',
    library: '`mariadb`',
    versions: '3; from 3.5 as an ES module',
    span: 'the same; one for a bulk batch, with its size',
    modules: [
      ...filesOf(
        'mariadb',
        [3],
        ['lib/connection.js', 'connection', 'Connection'],
        ['lib/pool.js', 'pool', 'Pool']
      ),
      // What `require` gets from 3.5 on cannot be patched, which is said when it is met.
      ...filesOf(
        'mariadb',
        [],
        ['dist/promise.cjs', 'connection'],
        ['dist/callback.cjs', 'connection']
      )
    ]
  },
  {
    name: 'opensearch',
    code: 'search-engines',
    library: '`@opensearch-project/opensearch`',
    versions: '2, 3',
    span: 'CLIENT, `search orders`, with the HTTP spans of its attempts below; the shape of the query with every value as `?`, operation, index, status, server address; the error’s type',
    modules: filesOf('@opensearch-project/opensearch', [2, 3], ['lib/Transport.js', 'opensearch'])
  },
  {
    name: 'elasticsearch',
    code: 'search-engines',
    library: '`@elastic/elasticsearch`',
    versions: '8, 9',
    span: 'the client’s own, `search`, with the HTTP spans of its attempts below; with `@elastic/transport` before 8.7, which has none, the same as OpenSearch’s',
    modules: filesOf('@elastic/transport', [8], ['lib/Transport.js', 'elastic'])
  },
  {
    name: 'memcached',
    code: 'memcached',
    library: '`memcached`, `memjs`',
    versions: '2; 1',
    span: 'CLIENT, `get`; text with the key as `?`, batch size, server address',
    modules: [
      ...filesOf('memcached', [2], ['lib/memcached.js', 'memcached']),
      ...filesOf('memjs', [1], ['lib/memjs/memjs.js', 'memjs'])
    ]
  }
]
