// Small improvements on every page; each page works without this file.
"use strict";
