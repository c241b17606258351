"""Which domains are search engines, social networks or mail: the large ones, of all continents. Data.

A domain counts for all within it, the longest that is known where there are several. Apps name themselves by their
package, as Android's referrers have them (`android-app://com.whatsapp`). Assistants that search count as search.
"""

SEARCH = """
360.cn ask.com baidu.com brave.com cn.bing.com chatgpt.com claude.ai coccoc.com copilot.microsoft.com daum.net
dogpile.com duckduckgo.com excite.com fireball.de gemini.google.com goo.ne.jp info.com kagi.com kvasir.no lycos.com
metager.de metager.org mojeek.com search.naver.com perplexity.ai petalsearch.com phind.com search.aol.com search.ch
search.marginalia.nu search.yahoo.co.jp search.yahoo.com seznam.cz sm.cn so.com sogou.com suche.gmx.net
suche.t-online.de suche.web.de swisscows.com szukaj.onet.pl szukaj.wp.pl toutiao.com wolframalpha.com ya.ru yep.com
you.com youdao.com zapmeta.com com.google.android.googlequicksearchbox com.duckduckgo.mobile.android
"""
SOCIAL = """
9gag.com behance.net bsky.app deviantart.com discord.com douban.com douyin.com dribbble.com facebook.com fb.com fb.me
flickr.com goodreads.com instagram.com kakao.com kuaishou.com lemmy.world line.me linkedin.com lnkd.in
mastodon.online mastodon.social meetup.com messenger.com mixi.jp news.ycombinator.com nextdoor.com odnoklassniki.ru
ok.ru pin.it pinterest.com plurk.com quora.com qzone.qq.com redd.it reddit.com snapchat.com soundcloud.com
stackexchange.com stackoverflow.com t.co t.me telegram.me telegram.org threads.com threads.net tieba.baidu.com
tiktok.com tumblr.com twitch.tv twitter.com vimeo.com vk.com vk.ru vkontakte.ru wa.me weibo.cn weibo.com weixin.qq.com
whatsapp.com x.com xiaohongshu.com xing.com yammer.com youtu.be youtube.com zhihu.com com.facebook.katana
com.facebook.lite com.instagram.android com.linkedin.android com.reddit.frontpage com.slack com.snapchat.android
com.tencent.mm com.twitter.android com.whatsapp com.zhiliaoapp.musically org.telegram.messenger
"""
EMAIL = """
app.frontapp.com app.hey.com app.tuta.com e.mail.ru email.t-online.de exmail.qq.com fastmail.com mail.126.com
mail.163.com mail.aol.com mail.google.com mail.live.com mail.naver.com mail.proton.me mail.qq.com mail.rambler.ru
mail.sina.com.cn mail.superhuman.com mail.yahoo.co.jp mail.yahoo.com mail.yandex.com mail.yandex.ru mail.zoho.com
mail.zoho.eu navigator.gmx.net navigator.web.de outlook.live.com outlook.office.com outlook.office365.com
poczta.onet.pl poczta.wp.pl webmail.freenet.de com.google.android.gm com.microsoft.office.outlook
com.yahoo.mobile.client.android.mail
"""

SITES = {
    domain: kind
    for kind, domains in (("search", SEARCH), ("social", SOCIAL), ("email", EMAIL))
    for domain in domains.split()
}
COUNTRIES = {
    **dict.fromkeys(("bing", "ecosia", "google", "naver", "qwant", "startpage", "yahoo", "yandex"), "search"),
    "pinterest": "social",
}
"""Names that are the same site under each country's domain; of what is within them, only PARTS are."""
PARTS = frozenset(("images", "m", "news", "scholar", "search"))
