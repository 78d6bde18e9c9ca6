'use strict';

const express = require('express');
const { isIP } = require('net');

const { requestLine } = require('./log');

/** The HTTP side: takes visits, tells how many there were. */
function createApp({ visits, log }) {
  const app = express();
  app.disable('x-powered-by');
  app.use(requestLine(log));
  app.use(express.json({ limit: '1kb' }));

  app.post('/access-log', (request, response) => {
    const { clientIp } = request.body;
    if (typeof clientIp !== 'string' || isIP(clientIp) === 0) {
      response.status(400).json({ error: 'clientIp must be an IP address' });
      return;
    }
    visits.add(clientIp);
    log.info('visit', { clientIp });
    response.status(204).end();
  });

  app.get('/stats', (request, response) => {
    response.json({ visits: visits.total, visitors: visits.visitors });
  });

  return app;
}

module.exports = { createApp };
