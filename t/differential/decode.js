// The other side of t/differential.t: the same records and the same lines as decode.cpp, by the Receiver of npm ws.
// Its directory is the argument.
'use strict';

const path = require('path');
const lib = path.join(path.resolve(process.argv[2]), 'lib');
const Receiver = require(path.join(lib, 'receiver.js'));
const PerMessageDeflate = require(path.join(lib, 'permessage-deflate.js'));
const { kStatusCode } = require(path.join(lib, 'constants.js'));

const maxPayload = 2000;
const maxFragments = 8;

function compression(fromClient, takeover) {
  const extension = new PerMessageDeflate({ isServer: fromClient, maxPayload });
  const name = fromClient ? 'client_no_context_takeover' : 'server_no_context_takeover';
  extension.accept([takeover ? {} : { [name]: [true] }]);
  // At a block with BFINAL ws gives its inflater up: the line says so.
  const decompress = extension.decompress;
  extension.decompress = (data, fin, callback) =>
    decompress.call(extension, data, fin, (error, output) => {
      extension.final ||= !error && extension._inflate === null;
      callback(error, output);
    });
  return { [PerMessageDeflate.extensionName]: extension };
}

function decode(settings, stream) {
  const fromClient = (settings & 1) !== 0;
  const extensions = settings & 2 ? compression(fromClient, (settings & 4) === 0) : {};
  const receiver = new Receiver({ isServer: fromClient, extensions, maxPayload, maxFragments });
  return new Promise((resolve) => {
    const events = [];
    const hex = (data) => Buffer.from(data).toString('hex');
    receiver.on('message', (data, binary) => events.push(`${binary ? 'binary' : 'text'}:${hex(data)}`));
    receiver.on('ping', (data) => events.push(`ping:${hex(data)}`));
    receiver.on('pong', (data) => events.push(`pong:${hex(data)}`));
    receiver.on('conclude', (code, reason) => events.push(`close:${code}:${hex(reason)}`));
    receiver.on('error', (error) => events.push(`fail:${error[kStatusCode]}`));
    receiver.on('close', () => {
      for (const extension of Object.values(extensions)) {
        extension.cleanup();
        if (extension.final) events.push('\tfinal');
      }
      resolve(events.join(' '));
    });
    receiver.write(stream);
    if (!receiver.writableEnded) receiver.end();
  });
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const records = Buffer.concat(chunks);
  for (let at = 0; at < records.length; ) {
    const length = records.readUInt32BE(at + 2);
    console.log(await decode(records[at], Buffer.from(records.subarray(at + 6, at + 6 + length))));
    at += 6 + length;
  }
}

main();
