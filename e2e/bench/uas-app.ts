/** The smallest drachtio-srf application: answers every call, so that the SIP server is the limit. */
import { parseArgs } from 'node:util';
import Srf from 'drachtio-srf';

const { values } = parseArgs({
  options: { port: { type: 'string' }, secret: { type: 'string' } },
});
const localSdp =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n';

const srf = new Srf();
srf.on('connect', () => console.log('ready'));
srf.on('error', (error: Error) => console.error(error.message));
srf.invite((req, res) => {
  srf.createUAS(req, res, { localSdp }).catch((error: Error) => console.error(error.message));
});
await srf.connect({ host: '127.0.0.1', port: Number(values.port), secret: values.secret ?? '' });
