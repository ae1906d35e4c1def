// A CommonJS app: every way a route can be reached. The module to use comes as an argument.
const express = require(process.argv[2])

const app = express()
app.use(express.json())

const inner = express.Router({ mergeParams: true })
inner.get('/items/:item', (_request, response) => response.send('item'))
inner.get('/', (_request, response) => response.send('root of inner'))
const outer = express.Router()
outer.use('/deep/:level', inner)
outer.get('/plain', (_request, response) => response.send('plain'))
app.use('/a/b', (_request, _response, next) => next())
app.use('/a', (_request, _response, next) => next())
app.use('/a/b', outer)

const sub = express()
sub.get('/page/:n', (_request, response) => response.send('sub'))
app.use('/sub', sub)

const late = express.Router()
late.get('/:what', (_request, response) => response.send('late'))
app.use('/late', (request, response, next) => setImmediate(late, request, response, next))

app.use('/mounted', (request, response, next) =>
  request.path === '/none' ? next() : response.send('mounted')
)

app.get('/first/:x', (_request, _response, next) => next('route'))
app.get('/first/second', (_request, response) => response.send('second'))
app.post('/echo', (request, response) => response.json(request.body))
app.get(/^\/re(gex)?$/, (_request, response) => response.send('regex'))
app.get('/throws', () => {
  throw new RangeError('thrown')
})
app.get('/async', (_request, _response, next) => setImmediate(next, new Error('async')))
app.get('/teapot', (_request, _response, next) =>
  next(Object.assign(new Error('tea'), { status: 418 }))
)
app.get('/handled', (_request, _response, next) => next(new TypeError('handled')))
app.use((error, request, response, next) => {
  if (request.path !== '/handled') return next(error)
  response.status(400).send('handled')
})

const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
