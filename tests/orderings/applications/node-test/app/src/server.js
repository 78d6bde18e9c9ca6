'use strict';

const express = require('express');
const links = require('./links');

const release = 'working copy';
const app = express();

links.add('docs', 'https://docs.example.com/');

app.get('/health', (_request, response) => response.json({ status: 'ok', release }));
app.get('/:name', (request, response) => {
  const address = links.find(request.params.name);
  if (address === undefined) {
    response.status(404).send('no such link\n');
  } else {
    response.redirect(302, address);
  }
});

app.listen(process.env.PORT || 3000);
