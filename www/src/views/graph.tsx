// Who and what hang together. Drawn, movable, and as a list for those who do not see it.
import type { Simulation } from "d3-force";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Graph as GraphPage, GraphEntity, GraphRelation, Memory, MemoryItem } from "../edgemem.js";
import { useAsked, useSession } from "../hooks.js";
import { type Drawing, drawingOf, type Edge, layOut, line, middle, type Node, radius, simulate } from "../layout.js";
import { date, Empty, Tag, TimeBar, useTold, Waiting, words } from "../parts.js";

/** The most entities that are drawn. */
const MOST = 400;

async function all(memory: Memory, day: string | undefined): Promise<GraphPage> {
  const entities: GraphEntity[] = [];
  const relations: GraphRelation[] = [];
  for (let page = 1; ; page++) {
    const got = await memory.graph({ page, pageSize: 200, ...(day && { asOf: `${day}T23:59:59Z` }) });
    entities.push(...got.entities);
    relations.push(...got.relations);
    if (got.next === null || entities.length >= MOST) {
      const ids = new Set<string>();
      const once = relations.filter((relation) => {
        const id = [relation.sourceId, relation.relationship, relation.target, relation.knownFrom].join("\n");
        return !ids.has(id) && ids.add(id);
      });
      return { ...got, entities, relations: once };
    }
  }
}

export function Graph() {
  const session = useSession();
  const { value: told } = useTold();
  const { value: graph, problem, slow } = useAsked((memory) => all(memory, session.day), [session.day]);
  const before = useRef<Drawing | undefined>(undefined);
  const drawing = useMemo(() => (before.current = graph && drawingOf(graph, before.current)), [graph]);
  const [chosen, choose] = useState<Node | Edge>();
  const [hovered, hover] = useState<Node | Edge>();
  useEffect(() => {
    choose(undefined);
    hover(undefined);
  }, [drawing]);
  const about = hovered ?? chosen;
  const few = !drawing || drawing.edges.length === 0;
  return (
    <>
      <TimeBar told={told} />
      <Waiting problem={problem} slow={slow} />
      {graph && few && <Empty icon="graph" title="No relations yet">People, places and things appear here when a model finds how they hang together.</Empty>}
      {drawing && !few && (
        <>
          <div class="canvas">
            <Canvas drawing={drawing} about={about} choose={choose} hover={hover} />
            <Provenance about={about} edges={drawing.edges} memories={told?.map(({ item }) => item) ?? []} />
          </div>
          <details class="as-list">
            <summary>{drawing.edges.length} relations as a list</summary>
            <ul class="relations">
              {drawing.edges.map(({ relation }) => <li><Triple relation={relation} /></li>)}
            </ul>
          </details>
        </>
      )}
    </>
  );
}

function Triple({ relation: { source, relationship, target, validFrom, validTo } }: { relation: GraphRelation }) {
  const span = [validFrom && `since ${date(validFrom)}`, validTo && `until ${date(validTo)}`].filter(Boolean).join(", ");
  return <><b>{source}</b> <i>{words(relationship)}</i> <b>{target}</b>{span && <span class="meta"> {span}</span>}</>;
}

const isEdge = (about: Node | Edge | undefined): about is Edge => about !== undefined && "relation" in about;

/** What is known of a node or an edge, and the memories that it rests on. */
function Provenance({ about, edges, memories }: { about: Node | Edge | undefined; edges: Edge[]; memories: MemoryItem[] }) {
  if (!about) return <p class="provenance hint">Point at or tap a line or a circle to see where it comes from. Drag circles; scroll or pinch to zoom.</p>;
  const here = isEdge(about) ? [about] : edges.filter(({ source, target }) => source === about || target === about);
  const ids = new Set(here.flatMap(({ relation }) => relation.memories));
  const rests = memories.filter(({ id }) => ids.has(id));
  return (
    <div class="provenance" aria-live="polite">
      {isEdge(about) ? <h3><Triple relation={about.relation} /></h3> : <h3>{about.name} <Tag>{words(about.type)}</Tag> <span class="meta">{here.length === 1 ? "1 relation" : `${here.length} relations`}</span></h3>}
      {rests.length > 0 && <ul>{rests.slice(0, 5).map(({ memory, createdAt }) => <li>{memory} <span class="meta">{date(createdAt)}</span></li>)}</ul>}
      {rests.length > 5 && <p class="meta">and {rests.length - 5} more</p>}
    </div>
  );
}

/** A name in lines that are not much longer than a word. */
function linesOf(name: string): string[] {
  const lines: string[] = [];
  for (const word of name.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 15) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

interface CanvasProps {
  drawing: Drawing;
  about: Node | Edge | undefined;
  choose: (about: Node | Edge | undefined) => void;
  hover: (about: Node | Edge | undefined) => void;
}

interface View {
  x: number;
  y: number;
  scale: number;
}

function Canvas({ drawing, about, choose, hover }: CanvasProps) {
  const svg = useRef<SVGSVGElement>(null);
  const world = useRef<SVGGElement>(null);
  const view = useRef<View>({ x: 0, y: 0, scale: 1 });
  const simulation = useRef<Simulation<Node, Edge> | undefined>(undefined);
  const moved = useRef(false);

  const draw = (): void => {
    const group = world.current;
    if (!group) return;
    const { x, y, scale } = view.current;
    group.setAttribute("transform", `translate(${x},${y}) scale(${scale})`);
    // Names stay readable when much is shown.
    group.style.setProperty("--grow", String(Math.min(1.5, Math.max(1, 1 / scale))));
    group.querySelectorAll<SVGGElement>(".edge").forEach((element, place) => {
      const edge = drawing.edges[place];
      if (!edge) return;
      for (const path of element.querySelectorAll("path")) path.setAttribute("d", line(edge));
      element.querySelector("text")?.setAttribute("transform", middle(edge));
    });
    group.querySelectorAll<SVGGElement>(".node").forEach((element, place) => {
      const node = drawing.nodes[place];
      if (node) element.setAttribute("transform", `translate(${node.x ?? 0},${node.y ?? 0})`);
    });
  };

  /** Shows all of it. */
  const fit = (): void => {
    const box = svg.current?.getBoundingClientRect();
    if (!box || box.width === 0) return;
    const [xs, ys] = [drawing.nodes.map(({ x = 0 }) => x), drawing.nodes.map(({ y = 0 }) => y)];
    const [left, right, top, bottom] = [Math.min(...xs) - 62, Math.max(...xs) + 62, Math.min(...ys) - 46, Math.max(...ys) + 48];
    const scale = Math.min(box.width / (right - left), box.height / (bottom - top), 1.6);
    view.current = { scale, x: box.width / 2 - (scale * (left + right)) / 2, y: box.height / 2 - (scale * (top + bottom)) / 2 };
    draw();
  };

  useEffect(() => {
    const forces = simulate(drawing).on("tick", draw);
    simulation.current = forces;
    let tall: boolean | undefined;
    // Called at once, and whenever the place gets another size.
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry?.contentRect ?? { width: 0, height: 0 };
      if (width === 0) return;
      if (tall !== height > width) layOut(forces, { width, height });
      tall = height > width;
      fit();
    });
    if (svg.current) watch.observe(svg.current);
    return () => {
      forces.stop();
      watch.disconnect();
    };
  }, [drawing]);

  usePointers(svg, view, draw, {
    nodeOf: (target) => {
      const place = Number((target as Element).closest<SVGGElement>(".node")?.dataset["place"] ?? -1);
      return drawing.nodes[place];
    },
    drag: (node, x, y) => {
      moved.current = true;
      [node.fx, node.fy] = [x, y];
      simulation.current?.alphaTarget(0.25).restart();
    },
    drop: (node) => {
      [node.fx, node.fy] = [null, null];
      simulation.current?.alphaTarget(0);
    },
  });

  const near = new Set<Node>();
  const lit = new Set<Edge>();
  for (const edge of drawing.edges) {
    if (edge === about || edge.source === about || edge.target === about) {
      lit.add(edge);
      near.add(edge.source).add(edge.target);
    }
  }
  const pick = (what: Node | Edge) => ({
    onPointerEnter: () => hover(what),
    onPointerLeave: () => hover(undefined),
    onFocus: () => choose(what),
    onClick: (event: Event) => {
      event.stopPropagation();
      if (!moved.current) choose(what);
      moved.current = false;
    },
  });
  return (
    <>
      <svg ref={svg} class={about ? "graph dim" : "graph"} role="group" aria-label="Graph of entities and relations" onClick={() => choose(undefined)}>
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="6.5" refY="4" markerWidth="6.5" markerHeight="6.5" orient="auto-start-reverse"><path d="M0,0.8 L7.4,4 L0,7.2z" /></marker>
        </defs>
        <g ref={world}>
          {drawing.edges.map((edge) => (
            <g class={lit.has(edge) ? "edge lit" : "edge"} {...pick(edge)}>
              <path class="reach" />
              <path class="stroke" marker-end="url(#arrow)" />
              <text dy="-4">{words(edge.relation.relationship)}</text>
            </g>
          ))}
          {drawing.nodes.map((node, place) => (
            <g class={`node ${near.has(node) ? "lit" : ""} ${node === about ? "chosen" : ""}`} data-place={place} data-type={node.type} tabindex={0} role="button" aria-label={`${node.name}, ${words(node.type)}`} {...pick(node)}>
              <circle r={radius(node)} />
              <text y={radius(node) + 2}>{linesOf(node.name).map((line) => <tspan x="0" dy="1.1em">{line} </tspan>)}</text>
            </g>
          ))}
        </g>
      </svg>
      <button type="button" class="quiet small fit" onClick={fit}>Show all</button>
    </>
  );
}

interface Handlers {
  nodeOf(target: EventTarget | null): Node | undefined;
  drag(node: Node, x: number, y: number): void;
  drop(node: Node): void;
}

/** Dragging of nodes, moving of the ground, zooming by wheel and by two fingers. */
function usePointers(svg: { current: SVGSVGElement | null }, view: { current: View }, draw: () => void, handlers: Handlers): void {
  const now = useRef(handlers);
  const redraw = useRef(draw);
  [now.current, redraw.current] = [handlers, draw];
  useEffect(() => {
    const element = svg.current;
    if (!element) return undefined;
    const down = new Map<number, { x: number; y: number }>();
    let node: Node | undefined;
    let start: { x: number; y: number } | undefined;
    const place = (event: MouseEvent) => {
      const { left, top } = element.getBoundingClientRect();
      return { x: event.clientX - left, y: event.clientY - top };
    };
    const zoom = (at: { x: number; y: number }, factor: number): void => {
      const { x, y, scale } = view.current;
      const next = Math.min(4, Math.max(0.25, scale * factor));
      view.current = { scale: next, x: at.x - ((at.x - x) * next) / scale, y: at.y - ((at.y - y) * next) / scale };
      redraw.current();
    };
    const press = (event: PointerEvent): void => {
      down.set(event.pointerId, place(event));
      start = place(event);
      node = down.size === 1 ? now.current.nodeOf(event.target) : undefined;
    };
    const move = (event: PointerEvent): void => {
      const before = down.get(event.pointerId);
      if (!before) return;
      const here = place(event);
      if (start && Math.hypot(here.x - start.x, here.y - start.y) < 4) return;
      start = undefined;
      const { x, y, scale } = view.current;
      if (!element.hasPointerCapture(event.pointerId)) element.setPointerCapture(event.pointerId);
      if (down.size === 2) {
        const [other] = [...down].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
        if (other) {
          const apart = (place: { x: number; y: number }) => Math.hypot(place.x - other.x, place.y - other.y) || 1;
          zoom({ x: (here.x + other.x) / 2, y: (here.y + other.y) / 2 }, apart(here) / apart(before));
        }
      } else if (node) now.current.drag(node, (here.x - x) / scale, (here.y - y) / scale);
      else {
        view.current = { scale, x: x + here.x - before.x, y: y + here.y - before.y };
        redraw.current();
      }
      down.set(event.pointerId, here);
    };
    const lift = (event: PointerEvent): void => {
      down.delete(event.pointerId);
      if (node) now.current.drop(node);
      node = undefined;
    };
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      zoom(place(event), Math.exp(-event.deltaY / 400));
    };
    element.addEventListener("pointerdown", press);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", lift);
    element.addEventListener("pointercancel", lift);
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      element.removeEventListener("pointerdown", press);
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", lift);
      element.removeEventListener("pointercancel", lift);
      element.removeEventListener("wheel", wheel);
    };
  }, []);
}
