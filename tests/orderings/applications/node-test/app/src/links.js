'use strict';

const links = new Map();

exports.add = (name, address) => links.set(name, address);
exports.find = (name) => links.get(name);
