// SPDX-License-Identifier: Apache-2.0
/* The signs before a span's name that tell its fate without colour. */
import type { Palette } from './palette';
import type { Pen } from './scene';

export function paintCross(pen: Pen, colour: string, x: number, y: number, arm: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = 2.25;
  pen.beginPath();
  pen.moveTo(x - arm, y - arm);
  pen.lineTo(x + arm, y + arm);
  pen.moveTo(x + arm, y - arm);
  pen.lineTo(x - arm, y + arm);
  pen.stroke();
}

export function paintBang(pen: Pen, colour: string, x: number, y: number): void {
  pen.fillStyle = colour;
  pen.fillRect(x - 1, y - 5, 2, 6.5);
  pen.fillRect(x - 1, y + 3, 2, 2);
}

export function paintOpenMark(pen: Pen, colour: string, x: number, y: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = 1.75;
  pen.beginPath();
  for (const dx of [-4, 0, 4]) {
    pen.moveTo(x + dx - 1.5, y + 4);
    pen.lineTo(x + dx + 1.5, y - 4);
  }
  pen.stroke();
}

export function paintBroken(pen: Pen, palette: Palette, x: number, y: number): void {
  pen.strokeStyle = palette.ink2;
  pen.lineWidth = 1.5;
  pen.setLineDash([2, 2]);
  pen.strokeRect(x - 4, y - 4, 8, 8);
  pen.setLineDash([]);
}

/** An eye: nobody recorded this, a tap saw it. */
export function paintEye(pen: Pen, colour: string, x: number, y: number): void {
  pen.strokeStyle = colour;
  pen.lineWidth = 1.25;
  pen.beginPath();
  pen.ellipse(x, y, 5.5, 3.5, 0, 0, Math.PI * 2);
  pen.stroke();
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, 1.6, 0, Math.PI * 2);
  pen.fill();
}
