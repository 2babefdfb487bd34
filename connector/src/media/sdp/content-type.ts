import { ConnectorError } from '../../base/errors.ts';

/** Refuses a body that is not SDP. Throws SDP_UNSUPPORTED_TYPE (415, with Accept: application/sdp). */
export function requireSdp(contentType: string | undefined): void {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/sdp')
    throw new ConnectorError('SDP_UNSUPPORTED_TYPE', 'the body is not application/sdp');
}
