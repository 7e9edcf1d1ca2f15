// Steps of one story as TAP: each needs the ones before it, so the first that fails ends the story.

let count = 0;

export async function step(title, run) {
  count += 1;
  try {
    await run();
  } catch (error) {
    console.log(`not ok ${count} - ${title}`);
    throw error;
  }
  console.log(`ok ${count} - ${title}`);
}

// Runs a story of steps; afterwards what `cleanups` has, the last one first.
export async function story(tell) {
  const cleanups = [];
  try {
    await tell((cleanup) => cleanups.unshift(cleanup));
  } catch (error) {
    console.error(String(error.stack).replace(/^/gm, "# "));
    process.exitCode = 1;
  }
  for (const cleanup of cleanups) await cleanup();
  console.log(`1..${count}`);
}
