/**
 * The heat map of the page: layers that can be switched, zoomed and moved by buttons, keys, wheel and drag, and
 * read under the pointer.
 */
import { formatBytes, formatSeconds } from '../../memory/units.ts';
import type { Deflate } from '../report/png.ts';
import { type HeatCells, regionLayer, seenLayer, truthLayer } from './heat-layers.ts';

export interface HeatFigure {
  readonly seen: HeatCells;
  readonly truth: HeatCells;
  readonly regions: HeatCells;
  readonly endUs: number;
  readonly totalBytes: number;
  /** What counts as hot, accesses per page per second. */
  readonly minRatePerS: number;
}

const TICKS = 5;

export const HEAT_STYLE = [
  '.heat{display:grid;grid-template-columns:5.2rem minmax(0,1fr);gap:.2rem .5rem;margin:.5rem 0}',
  '.heat .view{position:relative;height:min(24rem,60vh);border:1px solid var(--faint);overflow:hidden;touch-action:pan-y;cursor:crosshair}',
  '.heat .view:focus-visible{outline:2px solid var(--region);outline-offset:2px}',
  '.heat svg{position:absolute;inset:0;width:100%;height:100%}',
  '.heat image{image-rendering:pixelated}',
  '.heat ol{list-style:none;margin:0;padding:0;display:flex;justify-content:space-between;font-size:11px;color:var(--faint)}',
  '.heat .rows{flex-direction:column;text-align:right}',
  '.heat .times{grid-column:2}',
  '.tools{display:flex;flex-wrap:wrap;gap:.4rem 1rem;align-items:center;font-size:13px}',
  '.tools button{font:inherit;min-width:2rem;padding:.1rem .4rem;color:inherit;background:var(--ground);border:1px solid var(--faint);border-radius:4px;cursor:pointer}',
  '.tools label{display:flex;gap:.3rem;align-items:center}',
  '.tools output{margin-left:auto;font-variant-numeric:tabular-nums;color:var(--faint)}',
  '.ramp{display:inline-block;width:8rem;height:.7rem;vertical-align:middle}',
].join('');

/** Zoom is a view box in a picture of 1 by 1; labels follow it. */
export const HEAT_SCRIPT = `for(const figure of document.querySelectorAll('.heat')){
const view=figure.querySelector('.view'),svg=figure.querySelector('svg'),data=figure.dataset,out=document.getElementById('reading');
const times=+data.times,rows=+data.rows,endS=+data.end,total=+data.bytes;
const levels=Uint8Array.from(atob(data.levels),c=>c.charCodeAt(0));
let [x,y,w,h]=[0,0,1,1];
const size=b=>{let u=0;while(b>=1024&&u<5){b/=1024;u++}return (b>=100||u===0?b.toFixed(0):b.toFixed(1))+' '+['B','KiB','MiB','GiB','TiB','PiB'][u]};
const second=s=>s>=100?s.toFixed(0)+' s':s.toFixed(1)+' s';
const show=()=>{w=Math.min(1,Math.max(8/times,w));h=Math.min(1,Math.max(8/rows,h));x=Math.min(1-w,Math.max(0,x));y=Math.min(1-h,Math.max(0,y));
svg.setAttribute('viewBox',[x,y,w,h].join(' '));
figure.querySelectorAll('.times li').forEach((e,i,all)=>e.textContent=second(endS*(x+w*i/(all.length-1))));
figure.querySelectorAll('.rows li').forEach((e,i,all)=>e.textContent='+'+size(total*(1-y-h*i/(all.length-1))))};
const zoom=(f,px=.5,py=.5)=>{const nw=Math.min(1,Math.max(8/times,w*f)),nh=Math.min(1,Math.max(8/rows,h*f));x+=(w-nw)*px;y+=(h-nh)*py;w=nw;h=nh;show()};
const move=(dx,dy)=>{x+=dx*w;y+=dy*h;show()};
const acts={'+':()=>zoom(.5),'=':()=>zoom(.5),'-':()=>zoom(2),'0':()=>{[x,y,w,h]=[0,0,1,1];show()},ArrowLeft:()=>move(-.25,0),ArrowRight:()=>move(.25,0),ArrowUp:()=>move(0,-.25),ArrowDown:()=>move(0,.25)};
view.addEventListener('keydown',e=>{const act=acts[e.key];if(act&&!e.ctrlKey&&!e.metaKey&&!e.altKey){e.preventDefault();act()}});
for(const b of document.querySelectorAll('.tools [data-act]'))b.addEventListener('click',()=>acts[b.dataset.act]());
for(const c of document.querySelectorAll('.tools [data-layer]')){const set=()=>svg.querySelector('#'+c.dataset.layer).style.display=c.checked?'':'none';c.addEventListener('change',set);set()}
const at=e=>{const r=view.getBoundingClientRect();return[(e.clientX-r.left)/r.width,(e.clientY-r.top)/r.height]};
view.addEventListener('wheel',e=>{if(!e.ctrlKey&&!e.shiftKey)return;e.preventDefault();zoom(e.deltaY<0?.8:1.25,...at(e))},{passive:false});
view.addEventListener('dblclick',e=>zoom(.5,...at(e)));
let from;
view.addEventListener('pointerdown',e=>{from=[...at(e),x,y];view.setPointerCapture(e.pointerId)});
view.addEventListener('pointerup',()=>{from=undefined});
view.addEventListener('pointermove',e=>{const[px,py]=at(e);
if(from){x=from[2]-(px-from[0])*w;y=from[3]-(py-from[1])*h;show()}
const t=x+px*w,a=1-(y+py*h),cell=Math.min(times-1,Math.max(0,Math.floor(t*times)))*rows+Math.min(rows-1,Math.max(0,Math.floor(a*rows))),l=levels[cell]/255;
const rate=data.scale==='log'?(l===0?0:+data.high*Math.pow(1e4,l-1)):+data.low+l*(+data.high-+data.low);
out.textContent=second(endS*t)+', +'+size(total*a)+': '+(rate>=10?rate.toFixed(0):rate.toPrecision(2))+' accesses/s per page'});
show()}`;

export function renderHeatFigure(figure: HeatFigure, deflate: Deflate): string {
  const { seen, truth, regions, endUs, totalBytes, minRatePerS } = figure;
  const layer = seenLayer(seen, deflate);
  const { levels } = layer;
  const image = (id: string, href: string): string =>
    `<image id="${id}" x="0" y="0" width="1" height="1" preserveAspectRatio="none" href="${href}"/>`;
  const shares = Array.from({ length: TICKS }, (_, i) => i / (TICKS - 1));
  const number = (value: number): string => Number(value.toPrecision(3)).toString();
  const buttons = [
    ['+', 'closer'],
    ['-', 'farther'],
    ['0', 'all'],
    ['ArrowLeft', 'earlier'],
    ['ArrowRight', 'later'],
    ['ArrowUp', 'higher addresses'],
    ['ArrowDown', 'lower addresses'],
  ] as const;
  const signs: Readonly<Record<string, string>> = {
    '0': 'all',
    ArrowLeft: '←',
    ArrowRight: '→',
    ArrowUp: '↑',
    ArrowDown: '↓',
    '-': '−',
  };
  return [
    '<div class="tools">',
    ...buttons.map(
      ([act, label]) =>
        `<button type="button" data-act="${act}" aria-label="${label}" title="${label}">${signs[act] ?? act}</button>`,
    ),
    '<label><input type="checkbox" data-layer="seen" checked>rates seen</label>',
    `<label><input type="checkbox" data-layer="truth" checked>truly hot (${number(minRatePerS)}/s and more)</label>`,
    '<label><input type="checkbox" data-layer="regions">where regions are small</label>',
    '<output id="reading"></output>',
    '</div>',
    `<div class="heat" data-times="${seen.times}" data-rows="${seen.rows}" data-end="${endUs / 1e6}" data-bytes="${totalBytes}" data-scale="${levels.scale}" data-low="${levels.low}" data-high="${levels.high}" data-levels="${layer.bytes}">`,
    `<ol class="rows" aria-hidden="true">${shares.map((share) => `<li>+${formatBytes(totalBytes * (1 - share))}</li>`).join('')}</ol>`,
    '<div class="view" tabindex="0" role="img" aria-label="heat over time and address; plus and minus zoom, arrows move, 0 shows all">',
    '<svg viewBox="0 0 1 1" preserveAspectRatio="none">',
    image('seen', layer.href),
    image('truth', truthLayer(truth, deflate)),
    image('regions', regionLayer(regions, deflate)),
    '</svg></div>',
    `<ol class="times" aria-hidden="true">${shares.map((share) => `<li>${share === 0 ? '0 s' : formatSeconds((endUs / 1e6) * share)}</li>`).join('')}</ol>`,
    '</div>',
    `<p>Rates per page from ${number(levels.low)} to ${number(levels.high)} a second, ${levels.scale} scale. Wheel with Ctrl or Shift zooms, a drag moves.</p>`,
  ].join('\n');
}
