// Where the nodes of the graph are: a simulation of forces, and whatever the visitor drags.
import {
  forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY, type Simulation, type SimulationLinkDatum, type SimulationNodeDatum,
} from "d3-force";
import type { Graph, GraphRelation } from "./edgemem.js";

export interface Node extends SimulationNodeDatum {
  id: string;
  name: string;
  type: string;
  /** How many relations end here. */
  degree: number;
}

export interface Edge extends SimulationLinkDatum<Node> {
  source: Node;
  target: Node;
  relation: GraphRelation;
  /** Bends edges apart that have the same ends. */
  bend: number;
}

export interface Drawing {
  nodes: Node[];
  edges: Edge[];
}

/** The graph as nodes and edges. What a relation says without naming an entity is a node of its own; nodes keep their places. */
export function drawingOf({ entities, relations }: Graph, before: Drawing | undefined): Drawing {
  const places = new Map(before?.nodes.map((node) => [node.id, node]));
  const nodes = new Map<string, Node>();
  const node = (id: string, name: string, type: string): Node => {
    const made = nodes.get(id) ?? { id, name, type, degree: 0, ...placeOf(places.get(id)) };
    nodes.set(id, made);
    made.degree++;
    return made;
  };
  const types = new Map(entities.map(({ id, name, type }) => [id, { name, type }]));
  const counts = new Map<string, number>();
  const edges = relations.map((relation): Edge => {
    const { source, sourceId, target, targetId } = relation;
    const from = node(sourceId, types.get(sourceId)?.name ?? source, types.get(sourceId)?.type ?? "person");
    const to = node(targetId ?? `= ${target}`, target, targetId === null ? "value" : (types.get(targetId)?.type ?? "topic"));
    const ends = [from.id, to.id].sort().join(" ");
    const bend = counts.get(ends) ?? 0;
    counts.set(ends, bend + 1);
    return { source: from, target: to, relation, bend };
  });
  return { nodes: [...nodes.values()], edges };
}

const placeOf = (node: Node | undefined): Partial<Node> =>
  node?.x === undefined || node.y === undefined ? {} : { x: node.x, y: node.y };

/** Forces on a drawing, which is at rest. */
export function simulate({ nodes, edges }: Drawing): Simulation<Node, Edge> {
  return forceSimulation<Node, Edge>(nodes)
    .force("links", forceLink<Node, Edge>(edges).distance(({ source, target }) => 54 + 5 * Math.min(source.degree, target.degree, 6)).strength(0.5))
    .force("apart", forceManyBody().strength(-330))
    .force("room", forceCollide<Node>(({ name }) => 20 + Math.min(name.length, 16) * 1.7))
    .stop();
}

/** Lays a drawing out for a place of this shape. */
export function layOut(simulation: Simulation<Node, Edge>, { width, height }: { width: number; height: number }): void {
  const tall = height > width;
  simulation
    .force("x", forceX(0).strength(tall ? 0.2 : 0.05))
    .force("y", forceY(0).strength(tall ? 0.05 : 0.11))
    .alpha(1)
    .tick(250);
}

export const radius = ({ degree }: Node): number => 6 + Math.min(2.2 * Math.sqrt(degree), 11);

/** The line of an edge, from rim to rim. */
export function line({ source, target, bend }: Edge): string {
  const [x1, y1, x2, y2] = [source.x ?? 0, source.y ?? 0, target.x ?? 0, target.y ?? 0];
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const [from, to] = [radius(source), radius(target) + 5];
  const aside = 18 * bend;
  const [mx, my] = [(x1 + x2) / 2 - uy * aside, (y1 + y2) / 2 + ux * aside];
  return `M${x1 + ux * from},${y1 + uy * from} Q${mx},${my} ${x2 - ux * to},${y2 - uy * to}`;
}

/** The middle of an edge, and how its label is turned to be read from left to right. */
export function middle({ source, target, bend }: Edge): string {
  const [x1, y1, x2, y2] = [source.x ?? 0, source.y ?? 0, target.x ?? 0, target.y ?? 0];
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = Math.hypot(dx, dy) || 1;
  const turn = (Math.atan2(dy, dx) * 180) / Math.PI;
  const aside = 9 * bend;
  const upright = Math.abs(turn) > 90 ? turn + 180 : turn;
  return `translate(${(x1 + x2) / 2 - (dy / length) * aside},${(y1 + y2) / 2 + (dx / length) * aside}) rotate(${upright})`;
}
