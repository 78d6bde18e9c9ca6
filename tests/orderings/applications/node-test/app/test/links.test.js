'use strict';

const assert = require('assert');
const links = require('../src/links');

describe('links', () => {
  it('finds what was added', () => {
    links.add('a', 'https://a.example.com/');
    assert.strictEqual(links.find('a'), 'https://a.example.com/');
  });

  it('finds nothing else', () => {
    assert.strictEqual(links.find('b'), undefined);
  });
});
