/** Links of Markdown files that move: from their place in the project to their page of the site. */
import { existsSync } from "node:fs";
import path from "node:path";

export interface LinkTargets {
  /** Folder of the file that the text is from. */
  readonly from: string;
  /** Folder of the page that it becomes. */
  readonly to: string;
  /** Page of a file of the project; undefined if it has none. */
  pageOf(file: string): string | undefined;
}

const pictures = [".png", ".svg", ".jpg", ".json"];

/**
 * The text with each relative link, in Markdown or HTML, led to its page or picture. A link to another file of the project becomes its
 * text alone.
 */
export function moveLinks(markdown: string, { from, to, pageOf }: LinkTargets): string {
  const moved = (target: string): string | undefined => {
    if (/^([a-z]+:|#)/i.test(target)) return target;
    const [file = "", anchor] = path.resolve(from, target).split("#");
    const found = pageOf(file) ?? (pictures.includes(path.extname(file)) && existsSync(file) ? file : undefined);
    return found && path.relative(to, found) + (anchor ? `#${anchor}` : "");
  };
  return outsideCode(markdown, (text) =>
    text
      .replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, (_, mark: string, label: string, target: string) => {
        const place = moved(target);
        return place ? `${mark}[${label}](${place})` : label;
      })
      .replace(/<a href="([^"]+)">([\s\S]*?)<\/a>/g, (_, target: string, label: string) => {
        const place = moved(target);
        return place ? `<a href="${place}">${label}</a>` : label;
      }),
  );
}

/** Changes the text of a Markdown file, but not its fenced code. */
function outsideCode(markdown: string, change: (text: string) => string): string {
  return markdown
    .split(/^(`{3,}[^\n]*\n[\s\S]*?^`{3,}[ ]*$)/m)
    .map((part, i) => (i % 2 === 1 ? part : change(part)))
    .join("");
}
