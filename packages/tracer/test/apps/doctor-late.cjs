// Loads express before the tracer.
require('express')
require('@spanloom/tracer/register')
