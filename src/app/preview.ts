export async function drawPreview(_r: unknown): Promise<Uint8Array | null> { return null; }
