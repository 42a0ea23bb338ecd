// The sample conversation of this repository and its replayed replies; loaded when they are wanted.
import conversation from "../../../samples/conversation.json";
import replies from "../../../samples/cassettes/sample.json";
import more from "../../../samples/cassettes/try.json";
import { type Entry, player } from "./player.js";

export interface Session {
  id: string;
  time: string;
  messages: { role: string; content: string }[];
}

export const sessions: Session[] = conversation.sessions;

export const model = player([...replies.entries, ...more.entries] as Entry[]);
