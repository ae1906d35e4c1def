require('./bodies.cjs').expressFetchPg(require('express'), require('pg'))
