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
      { packageName: 'mariadb', majors: [3], file: 'lib/pool.js', esm: ['Pool'], patch: 'pool' }
    ]
  }
]
