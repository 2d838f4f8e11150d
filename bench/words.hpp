// SPDX-License-Identifier: Apache-2.0
// What the names and texts of synthetic packages are made of. No word ends in "bin": createrepo_c takes
// every path with "bin/" in it for a program, and lists it in primary too.
#pragma once

#include <array>
#include <string_view>

namespace repoupdate::bench {

inline constexpr auto k_words = std::to_array<std::string_view>(
    {"core",    "utils",     "data",     "client",   "server",   "config",   "plugin",   "test",     "common",
     "base",    "main",      "index",    "http",     "xml",      "json",     "file",     "net",      "image",
     "gtk",     "qt",        "sql",      "api",      "parser",   "text",     "html",     "util",     "cache",
     "auth",    "crypto",    "http2",    "list",     "map",      "event",    "stream",   "buffer",   "async",
     "widget",  "window",    "view",     "model",    "theme",    "icon",     "color",    "font",     "style",
     "session", "service",   "daemon",   "manager",  "monitor",  "network",  "socket",   "proxy",    "router",
     "request", "response",  "header",   "message",  "queue",    "task",     "worker",   "thread",   "process",
     "system",  "device",    "driver",   "kernel",   "module",   "loader",   "runtime",  "engine",   "compiler",
     "builder", "generator", "template", "format",   "encoder",  "decoder",  "filter",   "codec",    "audio",
     "video",   "media",     "player",   "record",   "sound",    "midi",     "photo",    "camera",   "scan",
     "print",   "document",  "editor",   "viewer",   "reader",   "writer",   "import",   "export",   "convert",
     "archive", "zip",       "tar",      "backup",   "sync",     "storage",  "disk",     "volume",   "mount",
     "path",    "search",    "query",    "table",    "column",   "schema",   "database", "store",    "object",
     "type",    "class",     "method",   "function", "variable", "value",    "number",   "string",   "array",
     "matrix",  "vector",    "math",     "stats",    "graph",    "tree",     "node",     "edge",     "cluster",
     "cloud",   "container", "docker",   "image2",   "registry", "package",  "install",  "update",   "release",
     "version", "branch",    "commit",   "merge",    "patch",    "diff",     "log",      "trace",    "debug",
     "profile", "bench",     "measure",  "metric",   "alert",    "report",   "chart",    "plot",     "canvas",
     "scene",   "mesh",      "shader",   "texture",  "light",    "physics",  "game",     "puzzle",   "chess",
     "card",    "board",     "level",    "map3d",    "world",    "earth",    "moon",     "star",     "solar",
     "time",    "date",      "calendar", "clock",    "timer",    "schedule", "job",      "cron",     "mail",
     "smtp",    "imap",      "chat",     "irc",      "voice",    "phone",    "contact",  "address",  "book",
     "library", "note",      "wiki",     "blog",     "feed",     "rss",      "news",     "page",     "site",
     "web",     "browser",   "script",   "shell",    "term",     "console",  "cursor",   "input",    "keyboard",
     "mouse",   "touch",     "screen",   "display",  "render",   "pixel",    "bitmap",   "svg",      "png",
     "jpeg",    "tiff",      "pdf",      "tex",      "latex",    "markdown", "yaml",     "toml",     "ini",
     "csv",     "proto",     "rpc",      "rest",     "soap",     "oauth",    "token",    "key",      "sign",
     "verify",  "hash",      "digest",   "cipher",   "secure",   "policy",   "rule",     "firewall", "filterd",
     "route",   "bridge",    "tunnel",   "vpn",      "wifi",     "blue",     "usb",      "serial",   "gpio",
     "sensor",  "power",     "battery",  "thermal",  "fan",      "cpu",      "memory",   "heap",     "stack",
     "atomic",  "lock",      "mutex",    "signal",   "timeline", "history",  "undo",     "select",   "menu",
     "dialog",  "button",    "label",    "layout",   "grid",     "panel",    "dock",     "tray",     "applet",
     "locale",  "lang",      "dict",     "spell",    "grammar",  "speech",   "token2",   "lexer",    "syntax",
     "ast",     "macro",     "derive",   "trait",    "generic",  "option",   "error",    "result",   "either"});

// Coined names: two to four of these. None begins with "bi", see above.
inline constexpr auto k_syllables = std::to_array<std::string_view>(
    {"ka",  "ri",  "no", "to", "mi", "la", "ve", "xo", "py", "qu",  "zen", "dor", "lin", "mar", "sol", "tek",
     "gra", "pho", "cy", "na", "fa", "lu", "wi", "re", "co", "sta", "op",  "ex",  "ter", "vis", "nex", "ar"});

inline constexpr auto k_prose = std::to_array<std::string_view>(
    {"the",          "of",          "and",          "to",        "a",          "for",
     "is",           "in",          "with",         "that",      "library",    "it",
     "an",           "this",        "package",      "you",       "can",        "support",
     "which",        "by",          "as",           "be",        "or",         "on",
     "data",         "from",        "provides",     "are",       "files",      "using",
     "your",         "used",        "use",          "simple",    "interface",  "has",
     "all",          "also",        "other",        "more",      "not",        "module",
     "applications", "as well as",  "functions",    "based",     "without",    "system",
     "set",          "tool",        "command line", "program",   "allows",     "implementation",
     "has been",     "written",     "designed",     "users",     "easy",       "multiple",
     "into",         "provide",     "Python",       "GNOME",     "fast",       "different",
     "such as",      "information", "various",      "when",      "standard",   "format",
     "language",     "any",         "made",         "available", "at",         "small",
     "many",         "network",     "open",         "features",  "code",       "source",
     "them",         "including",   "programming",  "its",       "most",       "between",
     "write",        "read",        "one",          "new",       "high level", "client",
     "servers",      "protocol",    "graphical",    "desktop",   "through",    "developers",
     "make",         "time"});

inline constexpr auto k_licenses = std::to_array<std::string_view>(
    {"MIT", "GPL-2.0-or-later", "LGPL-2.1-or-later", "Apache-2.0", "BSD-3-Clause", "GPL-3.0-or-later",
     "MIT OR Apache-2.0", "GPL+ or Artistic", "LPPL-1.3c", "BSD-2-Clause", "MPL-2.0", "GPLv2+ and LGPLv2+", "ISC",
     "LicenseRef-Callaway-Public-Domain", "CC-BY-SA-4.0 AND MIT", "Zlib"});

inline constexpr auto k_languages = std::to_array<std::string_view>(
    {"af",    "ar", "as", "ast", "be",       "bg", "bn_IN", "bs", "ca", "cs", "cy",    "da", "de",    "el",
     "en_GB", "eo", "es", "et",  "eu",       "fa", "fi",    "fr", "ga", "gl", "gu",    "he", "hi",    "hr",
     "hu",    "ia", "id", "is",  "it",       "ja", "ka",    "kk", "kn", "ko", "lt",    "lv", "mk",    "ml",
     "mr",    "ms", "nb", "ne",  "nl",       "nn", "or",    "pa", "pl", "pt", "pt_BR", "ro", "ru",    "si",
     "sk",    "sl", "sq", "sr",  "sr@latin", "sv", "ta",    "te", "th", "tr", "uk",    "vi", "zh_CN", "zh_TW"});

// As createrepo_c escapes them in an attribute.
inline constexpr auto k_people = std::to_array<std::string_view>(
    {"Fedora Release Engineering &lt;releng@fedoraproject.org&gt;", "Ada Berg &lt;ada@example.org&gt;",
     "Jan Novak &lt;jnovak@example.com&gt;", "Maria Silva &lt;msilva@example.com&gt;",
     "Peter Lindqvist &lt;plindqvist@example.net&gt;", "Yuki Tanaka &lt;ytanaka@example.com&gt;",
     "Tom Archer &lt;tom.archer@example.org&gt;", "Elena Petrova &lt;epetrova@example.com&gt;",
     "Li Wei &lt;lwei@example.com&gt;", "Hans Gruber &lt;hgruber@example.net&gt;",
     "Zo&#xEB; M&#xFC;ller &lt;zoe@example.org&gt;", "Carlos Ruiz &lt;cruiz@example.com&gt;",
     "Aoife Byrne &lt;abyrne@example.ie&gt;", "Fabio Conti &lt;fconti@example.it&gt;",
     "Nadia Haddad &lt;nhaddad@example.com&gt;", "Igor Kuznetsov &lt;ikuz@example.org&gt;"});

// What compiled programs are linked with: each of them or not, always in this order.
inline constexpr auto k_sonames =
    std::to_array<std::string_view>({"libQt6Core.so.6",  "libQt6Gui.so.6",       "libQt6Widgets.so.6",
                                     "libX11.so.6",      "libcairo.so.2",        "libcrypto.so.3",
                                     "libcurl.so.4",     "libdbus-1.so.3",       "libfontconfig.so.1",
                                     "libfreetype.so.6", "libgcc_s.so.1",        "libgdk_pixbuf-2.0.so.0",
                                     "libgio-2.0.so.0",  "libglib-2.0.so.0",     "libgobject-2.0.so.0",
                                     "libgtk-3.so.0",    "libgtk-4.so.1",        "liblzma.so.5",
                                     "libm.so.6",        "libncursesw.so.6",     "libpango-1.0.so.0",
                                     "libpng16.so.16",   "libpython3.12.so.1.0", "libreadline.so.8",
                                     "libsqlite3.so.0",  "libssl.so.3",          "libstdc++.so.6",
                                     "libsystemd.so.0",  "libtinfo.so.6",        "libxml2.so.2",
                                     "libz.so.1",        "libzstd.so.1"});

}  // namespace repoupdate::bench
