SELECT count(*) FROM orders WHERE mail = 'secret'
