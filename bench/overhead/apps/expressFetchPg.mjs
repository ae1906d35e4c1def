import express from 'express'
import pg from 'pg'
import bodies from './bodies.cjs'

bodies.expressFetchPg(express, pg)
