// SPDX-License-Identifier: Apache-2.0
#include "collector/picture/pen.h"

#include <cairo.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>

#include "collector/picture/text.h"

enum { CORNER = 3 };

static const struct {
    double pixels;
    bool is_bold;
} fonts[] = {[PEN_TITLE] = {15, true}, [PEN_TEXT] = {11, false}, [PEN_STRONG] = {11, true}};

struct colour {
    double red, green, blue, alpha;
};

static double part(const char *digits)
{
    static const char values[] = "0123456789ABCDEF";
    return (double)((strchr(values, digits[0]) - values) * 16 +
                    (strchr(values, digits[1]) - values)) /
           255;
}

static struct colour colour_of(const char *text)
{
    return (struct colour){part(text), part(text + 2), part(text + 4),
                           strlen(text) > 6 ? part(text + 6) : 1};
}

static void use_colour(struct pen *p, const char *text)
{
    struct colour c = colour_of(text);
    cairo_set_source_rgba(p->cairo, c.red, c.green, c.blue, c.alpha);
}

/* fill="#…" and its opacity. */
static void put_colour(struct pen *p, const char *text)
{
    buffer_printf(p->out, " fill=\"#%.6s\"", text);
    if (strlen(text) > 6)
        buffer_printf(p->out, " fill-opacity=\"%.2f\"", colour_of(text).alpha);
}

/* ---- beginning --------------------------------------------------------------------------- */

/* Fonts are looked for once: that takes longer than a picture. */
static PangoFontMap *font_map(void)
{
    static PangoFontMap *map;
    if (!map)
        map = pango_cairo_font_map_new();
    return map;
}

static void put_head(struct pen *p, unsigned width, unsigned height, const char *back)
{
    buffer_printf(p->out,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                  "xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%u\" height=\"%u\" "
                  "viewBox=\"0 0 %u %u\">\n<rect width=\"%u\" height=\"%u\"",
                  width, height, width, height, width, height);
    put_colour(p, back);
    buffer_text(p->out, "/>\n");
}

void pen_begin(struct pen *p, bool svg, unsigned width, unsigned height, const char *back,
               struct buffer *out)
{
    *p = (struct pen){.svg = svg, .width = width, .height = height, .out = out};
    p->page =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, svg ? 1 : (int)width, svg ? 1 : (int)height);
    p->cairo = cairo_create(p->page);
    PangoContext *context = pango_font_map_create_context(font_map());
    p->layout = pango_layout_new(context);
    g_object_unref(context);
    if (svg) {
        put_head(p, width, height, back);
    } else {
        use_colour(p, back);
        cairo_paint(p->cairo);
    }
}

/* ---- text -------------------------------------------------------------------------------- */

static void set_text(struct pen *p, enum pen_font font, const char *text)
{
    PangoFontDescription *d = pango_font_description_new();
    pango_font_description_set_family_static(d, "DejaVu Sans");
    pango_font_description_set_absolute_size(d, fonts[font].pixels * PANGO_SCALE);
    pango_font_description_set_weight(d, fonts[font].is_bold ? PANGO_WEIGHT_BOLD
                                                             : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(p->layout, d);
    pango_layout_set_text(p->layout, text, -1);
    pango_font_description_free(d);
}

bool pen_has_font(struct pen *p)
{
    set_text(p, PEN_TEXT, "Weft 0");
    return pango_layout_get_unknown_glyphs_count(p->layout) == 0;
}

double pen_width(struct pen *p, enum pen_font font, const char *text)
{
    int width, height;
    set_text(p, font, text);
    pango_layout_get_size(p->layout, &width, &height);
    return (double)width / PANGO_SCALE;
}

void pen_text(struct pen *p, enum pen_font font, double x, double y, const char *colour,
              const char *text)
{
    if (p->svg) {
        buffer_printf(p->out,
                      "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%g\" font-weight=\"%s\" "
                      "font-family=\"DejaVu Sans, Verdana, sans-serif\"",
                      x, y, fonts[font].pixels, fonts[font].is_bold ? "bold" : "normal");
        put_colour(p, colour);
        buffer_text(p->out, " xml:space=\"preserve\">");
        text_xml(p->out, text);
        buffer_text(p->out, "</text>\n");
        return;
    }
    set_text(p, font, text);
    use_colour(p, colour);
    cairo_move_to(p->cairo, round(x),
                  round(y) - (double)pango_layout_get_baseline(p->layout) / PANGO_SCALE);
    pango_cairo_show_layout(p->cairo, p->layout);
}

/* ---- shapes ------------------------------------------------------------------------------ */

void pen_vertical(struct pen *p, double x, double from_y, double to_y, double width,
                  const char *colour)
{
    double left = round(x - width / 2);
    if (p->svg) {
        buffer_printf(p->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"", left,
                      from_y, width, to_y - from_y);
        put_colour(p, colour);
        buffer_text(p->out, "/>\n");
        return;
    }
    use_colour(p, colour);
    cairo_rectangle(p->cairo, left, round(from_y), width, round(to_y) - round(from_y));
    cairo_fill(p->cairo);
}

void pen_box(struct pen *p, double x, double y, double width, double height, const char *colour)
{
    if (p->svg) {
        buffer_printf(p->out,
                      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%d\"", x, y,
                      width, height, CORNER);
        put_colour(p, colour);
        buffer_text(p->out, "/>\n");
        return;
    }
    double right = x + width - CORNER, bottom = y + height - CORNER;
    use_colour(p, colour);
    cairo_new_sub_path(p->cairo);
    cairo_arc(p->cairo, right, y + CORNER, CORNER, -M_PI_2, 0);
    cairo_arc(p->cairo, right, bottom, CORNER, 0, M_PI_2);
    cairo_arc(p->cairo, x + CORNER, bottom, CORNER, M_PI_2, M_PI);
    cairo_arc(p->cairo, x + CORNER, y + CORNER, CORNER, M_PI, 3 * M_PI_2);
    cairo_close_path(p->cairo);
    cairo_fill(p->cairo);
}

/* ---- librrd's picture -------------------------------------------------------------------- */

struct bytes {
    const char *at;
    size_t left;
};

static cairo_status_t on_read(void *context, unsigned char *data, unsigned length)
{
    struct bytes *b = context;
    if (length > b->left)
        return CAIRO_STATUS_READ_ERROR;
    memcpy(data, b->at, length);
    b->at += length;
    b->left -= length;
    return CAIRO_STATUS_SUCCESS;
}

/* An <svg> within ours: its own says points where we count in pixels. */
static void put_picture(struct pen *p, const char *bytes, size_t length, double y)
{
    const char *svg = memmem(bytes, length, "<svg", 4);
    const char *body = svg ? memchr(svg, '>', length - (size_t)(svg - bytes)) : NULL;
    if (!body) {
        p->failed = true;
        return;
    }
    double height = p->height - y;
    buffer_printf(p->out, "<svg y=\"%.0f\" width=\"%u\" height=\"%.0f\" viewBox=\"0 0 %u %.0f\"", y,
                  p->width, height, p->width, height);
    buffer_append(p->out, body, length - (size_t)(body - bytes));
    buffer_byte(p->out, '\n');
}

void pen_picture(struct pen *p, const char *bytes, size_t length, double y)
{
    if (p->svg) {
        put_picture(p, bytes, length, y);
        return;
    }
    struct bytes b = {bytes, length};
    cairo_surface_t *picture = cairo_image_surface_create_from_png_stream(on_read, &b);
    if (cairo_surface_status(picture) != CAIRO_STATUS_SUCCESS)
        p->failed = true;
    cairo_set_source_surface(p->cairo, picture, 0, y);
    cairo_paint(p->cairo);
    cairo_surface_destroy(picture);
}

/* ---- the end ----------------------------------------------------------------------------- */

static cairo_status_t on_write(void *context, const unsigned char *data, unsigned length)
{
    struct buffer *out = context;
    buffer_append(out, data, length);
    return out->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

int pen_end(struct pen *p)
{
    if (p->svg)
        buffer_text(p->out, "</svg>\n");
    else if (cairo_status(p->cairo) != CAIRO_STATUS_SUCCESS ||
             cairo_surface_write_to_png_stream(p->page, on_write, p->out) != CAIRO_STATUS_SUCCESS)
        p->failed = true;
    g_object_unref(p->layout);
    cairo_destroy(p->cairo);
    cairo_surface_destroy(p->page);
    return p->failed || p->out->failed ? -1 : 0;
}
