// SPDX-License-Identifier: Apache-2.0
import './tokens.css';
import './base.css';
import { render } from 'preact';
import { startClock } from './api/session';
import { App } from './app';
import { watchLocation } from './routes/location';

watchLocation();
startClock();
const page = document.getElementById('page');
if (page) render(<App />, page);
