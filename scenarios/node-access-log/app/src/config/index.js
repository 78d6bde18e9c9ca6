'use strict';

const defaults = require('./default.json');

/** The settings: default.json, over which PORT and LOG_LEVEL of the environment win. */
function loadConfig(env) {
  const port = env.PORT === undefined ? defaults.port : Number(env.PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new RangeError(`PORT must be a port number, got ${env.PORT}`);
  }
  return { port, logLevel: env.LOG_LEVEL ?? defaults.logLevel };
}

module.exports = { loadConfig };
