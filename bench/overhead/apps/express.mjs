import express from 'express'
import bodies from './bodies.cjs'

bodies.express(express)
