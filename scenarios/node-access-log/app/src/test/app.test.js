'use strict';

const assert = require('assert');
const request = require('supertest');
const winston = require('winston');

const { createApp } = require('../app');
const { loadConfig } = require('../config');
const { Visits } = require('../visits');

const silent = winston.createLogger({ silent: true });

describe('access log', () => {
  let app;

  beforeEach(() => {
    app = createApp({ visits: new Visits(), log: silent });
  });

  const visit = (body) => request(app).post('/access-log').send(body);

  it('counts visits and tells visitors apart', async () => {
    for (const clientIp of ['192.0.2.1', '192.0.2.1', '2001:db8::1']) {
      await visit({ clientIp }).expect(204);
    }
    await request(app).get('/stats').expect(200, { visits: 3, visitors: 2 });
  });

  for (const body of [{}, { clientIp: 7 }, { clientIp: 'somewhere' }]) {
    it(`refuses ${JSON.stringify(body)}`, async () => {
      await visit(body).expect(400);
      await request(app).get('/stats').expect(200, { visits: 0, visitors: 0 });
    });
  }
});

describe('config', () => {
  it('listens on port 80 unless the environment names another', () => {
    assert.strictEqual(loadConfig({}).port, 80);
    assert.strictEqual(loadConfig({ PORT: '8080' }).port, 8080);
  });

  it('refuses a port that is none', () => {
    assert.throws(() => loadConfig({ PORT: 'http' }), RangeError);
  });
});
