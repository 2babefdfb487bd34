#!/usr/bin/env node
import { listenToSignals } from './signals.ts';

// Loading the rest takes a good part of a second, in which a signal must not be lost.
const orders = listenToSignals();
const { main } = await import('./command-line.ts');
process.exit(await main(process.argv.slice(2), orders));
