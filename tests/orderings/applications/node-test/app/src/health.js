'use strict';

const http = require('http');

http
  .get({ port: process.env.PORT || 3000, path: '/health' }, (answer) => {
    process.exit(answer.statusCode === 200 ? 0 : 1);
  })
  .on('error', () => process.exit(1));
