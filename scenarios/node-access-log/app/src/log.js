'use strict';

const morgan = require('morgan');
const winston = require('winston');

/** Writes one line of JSON per event to standard output, where a container's log is read. */
function createLogger({ logLevel }) {
  return winston.createLogger({
    level: logLevel,
    format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
    transports: [new winston.transports.Console()],
  });
}

/** Middleware that logs every request once it is answered. */
function requestLine(log) {
  return morgan(':method :url :status :response-time ms', {
    stream: { write: (line) => log.debug(line.trimEnd()) },
  });
}

module.exports = { createLogger, requestLine };
