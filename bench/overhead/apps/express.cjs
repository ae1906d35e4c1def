require('./bodies.cjs').express(require('express'))
