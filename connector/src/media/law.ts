/** G.711 companding law (ITU-T G.711); both are 8000 samples, 8000 bytes a second. */
export type Law = 'pcmu' | 'pcma';
