/** What becomes of what peers say on its way: as another version of the protocol has it. */
export interface Wire {
  /** What the server hears of what an agent says before its first frame. */
  metadata(said: Record<string, string>): Record<string, string>;
  /** What comes of a frame of an agent, as bytes. */
  agent(bytes: Buffer): Buffer;
  /** What comes of a frame of the server. */
  server(bytes: Buffer): Buffer;
}
