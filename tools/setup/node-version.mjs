/** Throws unless this Node is new enough: from 20.19 on `require()` loads ESM packages. */
export function requireNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`Node 20.19 or newer is needed, and this is ${version}. Get it from your system or nodejs.org.`);
  }
}
