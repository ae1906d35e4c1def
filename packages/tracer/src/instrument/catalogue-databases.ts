/** The part of the catalogue that is databases, search engines and caches. */
import type { Entry } from './registry.ts'

export const DATABASES: readonly Entry[] = [
  {
    name: 'postgres',
    code: 'postgres',
    library: '`postgres`',
    versions: '3, from 3.1',
    span: 'CLIENT, `SELECT orders`, from when it is asked for; text with every literal as `?`, operation, table, database, server address; SQLSTATE on an error',
    modules: [
      { packageName: 'postgres', majors: [3], file: 'cjs/src/query.js', patch: 'query' },
      {
        packageName: 'postgres',
        majors: [3],
        file: 'src/query.js',
        esm: ['Query'],
        patch: 'query'
      },
      { packageName: 'postgres', majors: [3], file: 'cjs/src/types.js', patch: 'types' },
      {
        packageName: 'postgres',
        majors: [3],
        file: 'src/types.js',
        esm: ['stringify'],
        patch: 'types'
      }
    ]
  },
  {
    name: 'mysql',
    code: 'mysql',
    library: '`mysql`',
    versions: '2',
    span: 'CLIENT, `SELECT orders`; text with every literal as `?`, operation, table, database, server address; SQLSTATE on an error',
    modules: [
      { packageName: 'mysql', majors: [2], file: 'lib/Connection.js', patch: 'connection' },
      { packageName: 'mysql', majors: [2], file: 'lib/Pool.js', patch: 'pool' }
    ]
  },
  {
    name: 'mariadb',
    code: 'mariadb',
    library: '`mariadb`',
    versions: '3; from 3.5 as an ES module',
    span: 'the same; one for a bulk batch, with its size',
    modules: [
      {
        packageName: 'mariadb',
        majors: [3],
        file: 'lib/connection.js',
        esm: ['Connection'],
        patch: 'connection'
      },
      { packageName: 'mariadb', majors: [3], file: 'lib/pool.js', esm: ['Pool'], patch: 'pool' },
      // What `require` gets from 3.5 on cannot be patched, which is said when it is met.
      { packageName: 'mariadb', majors: [], file: 'dist/promise.cjs', patch: 'connection' },
      { packageName: 'mariadb', majors: [], file: 'dist/callback.cjs', patch: 'connection' }
    ]
  },
  {
    name: 'opensearch',
    code: 'search-engines',
    library: '`@opensearch-project/opensearch`',
    versions: '2, 3',
    span: 'CLIENT, `search orders`, with the HTTP spans of its attempts below; the shape of the query with every value as `?`, operation, index, status, server address; the error’s type',
    modules: [
      {
        packageName: '@opensearch-project/opensearch',
        majors: [2, 3],
        file: 'lib/Transport.js',
        patch: 'opensearch'
      }
    ]
  },
  {
    name: 'elasticsearch',
    code: 'search-engines',
    library: '`@elastic/elasticsearch`',
    versions: '8, 9',
    span: 'the client’s own, `search`, with the HTTP spans of its attempts below; with `@elastic/transport` before 8.7, which has none, the same as OpenSearch’s',
    modules: [
      {
        packageName: '@elastic/transport',
        majors: [8],
        file: 'lib/Transport.js',
        patch: 'elastic'
      }
    ]
  },
  {
    name: 'memcached',
    code: 'memcached',
    library: '`memcached`, `memjs`',
    versions: '2; 1',
    span: 'CLIENT, `get`; text with the key as `?`, batch size, server address',
    modules: [
      { packageName: 'memcached', majors: [2], file: 'lib/memcached.js', patch: 'memcached' },
      { packageName: 'memjs', majors: [1], file: 'lib/memjs/memjs.js', patch: 'memjs' }
    ]
  }
]
