'use strict';

const { createApp } = require('./app');
const { loadConfig } = require('./config');
const { createLogger } = require('./log');
const { Visits } = require('./visits');

const revision = 'working copy';

const config = loadConfig(process.env);
const log = createLogger(config);
const server = createApp({ visits: new Visits(), log }).listen(config.port, () => {
  log.info(`access-log (${revision}) listens on port ${server.address().port}`);
});

// The first process of a container gets no default handler: without this, stopping takes 10 s.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.close(() => process.exit(0)));
}
