// Change detection in a page: made series, and the vectors of PyCCD from a server.
import { checkVectors, digestOf, runMade, type VectorFiles } from '../../fixture/ccdc-vectors.js';

async function vectors(url: string) {
  const files: VectorFiles = {
    bytes: async (name) => new Uint8Array(await (await fetch(`${url}/${name}`)).arrayBuffer()),
  };
  return checkVectors(files);
}

Object.assign(globalThis, { made: () => digestOf(runMade()), vectors });
