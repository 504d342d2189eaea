"""How the admin looks."""

from django.templatetags.static import static

UNFOLD = {
    "SITE_TITLE": "Proofsheet",
    "SITE_HEADER": "Proofsheet",
    "SITE_SUBHEADER": "Operations",
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("mark.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("mark.svg")}
    ],
    "SCRIPTS": [lambda request: static("unfold_without_eval.js")],
    "BORDER_RADIUS": "3px",
    "COLORS": {  # the grease pencil of proofsheet.css, from its wash to its darkest stroke
        "primary": {
            "50": "#fdf3ee", "100": "#f6e3da", "200": "#f0c4b0", "300": "#ffab87",
            "400": "#ff8557", "500": "#e85a2a", "600": "#b5310f", "700": "#962708",
            "800": "#6f1d07", "900": "#4a1405", "950": "#2b0b02",
        },
    },
}  # fmt: skip
