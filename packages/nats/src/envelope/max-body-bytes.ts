/**
 * The largest body in bytes that goes through in Go Micro's envelope, with up to 4 KiB of headers, on a server with the
 * default
 * `max_payload` of 1 MiB: base64 takes a third more, and the limit counts headers as well.
 */
export const maxBodyBytes: number = 700 * 1024;
