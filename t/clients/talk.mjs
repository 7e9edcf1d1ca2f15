// The conversation that every client has: messages of all sizes, text and binary, come back as they were. Runs in Node and, as
// its source text, in a page.
//
// `open(url)` answers a WebSocket; `sizes` are bytes of a message.

export async function talk(open, base, sizes) {
  // What compresses to next to nothing, and what doesn't compress at all.
  const dull = (size) => new Uint8Array(size).fill(97);
  const random = (size) => {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
    return bytes;
  };
  const equal = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

  for (const path of ["headers/plain", "headers/deflate", "envelope/plain", "envelope/deflate"]) {
    const ws = open(`${base}/${path}`);
    ws.binaryType = "arraybuffer";
    let heard = () => {};
    let lost = () => {};
    ws.onmessage = ({ data }) => heard(data);
    ws.onclose = ({ code, reason }) => lost(new Error(`${path}: closed with ${code} ${reason}`));
    ws.onerror = () => {};
    const next = () => new Promise((resolve, reject) => { heard = resolve; lost = reject; });
    await new Promise((resolve, reject) => { ws.onopen = resolve; lost = reject; });
    const agreed = ws.extensions.split(";")[0];
    if (agreed !== (path.endsWith("deflate") ? "permessage-deflate" : "")) throw new Error(`${path}: agreed on "${agreed}"`);

    for (const size of sizes) {
      for (const make of [dull, random]) {
        const sent = make(size);
        let answer = next();
        ws.send(sent);
        if (!equal(new Uint8Array(await answer), sent)) throw new Error(`${path}: ${size} bytes came back as others`);
        // As text of ASCII.
        const text = new TextDecoder().decode(sent.map((byte) => byte & 0x7f));
        answer = next();
        ws.send(text);
        if ((await answer) !== text) throw new Error(`${path}: text of ${size} bytes came back as another`);
      }
    }
    const closed = new Promise((resolve) => { ws.onclose = resolve; });
    ws.close(4000, "bye");
    const { code } = await closed;
    if (code !== 4000) throw new Error(`${path}: closed with ${code}`);
  }
}
