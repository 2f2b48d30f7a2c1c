"""Words that say nothing of what a text is about: articles, pronouns, prepositions, auxiliaries.

One list for each language, as written in lower case. The English one is left as it was when the
figures of the catalogue were measured.
"""

from __future__ import annotations

STOP_WORDS = {
    "en": (
        "a about above after again against all am an and any are aren as at be because been "
        "before being below between both but by can could couldn did didn do does doesn doing "
        "don down during each few for from further had hadn has hasn have haven having he her "
        "here hers herself him himself his how i if in into is isn it its itself just ll me "
        "more most mustn my myself no nor not now of off on once only or other our ours "
        "ourselves out over own re s same shan she should shouldn so some such t than that "
        "the their theirs them themselves then there these they this those through to too "
        "under until up ve very was wasn we were weren what when where which while who whom "
        "why will with won would wouldn you your yours yourself yourselves d m o y"
    ),
    "de": (
        "aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis bist "
        "da damit dann das dass dein deine deinem deinen deiner dem den denn der des dich die "
        "dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen "
        "einer eines er es etwas euch euer eure für gegen gewesen hab habe haben hast hat "
        "hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in "
        "indem ins ist ja jede jedem jeden jeder jedes jetzt kann kannst können könnte man "
        "mehr mein meine meinem meinen meiner mich mir mit muss musste müssen nach nein nicht "
        "nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner seit sich sie "
        "sind so soll sollen sollte sondern über um und uns unser unsere unter vom von vor "
        "wann war waren warum was weil welche welchem welchen welcher welches wenn wer wem "
        "wen werde werden wie wieder will wir wird wirst wo wollen wurde wurden während zu "
        "zum zur zwar zwischen"
    ),
    "fr": (
        "à ai ainsi alors as au aucun aussi autre aux avait avant avec avez avoir avons ayant "
        "c ce ceci cela celle celles celui ces cet cette ceux chaque chez comme comment d "
        "dans de depuis des donc dont du elle elles en encore entre es est et étaient était "
        "été êtes être eu eux fait faut fut hors ici il ils j je jusqu l la là le les leur "
        "leurs lorsqu lorsque lui m ma mais me même mes moi mon n ne ni non nos notre nous on "
        "ont ou où par parce pas pendant peu peut plus pour pourquoi puis qu quand que quel "
        "quelle quelles quels qui quoi s sa sans se sera seront ses si sommes son sont sous "
        "suis sur t ta te tes toi ton tous tout toute toutes très tu un une vos votre vous y"
    ),
    "es": (
        "a al algo algunos ante antes así aunque aún cada como con cuando cuál cuándo cuánto "
        "cómo de del desde donde dos durante dónde e el él ella ellas ellos en entre era eran "
        "es esa esas ese eso esos esta estaba estado están estar estas este esto estos estoy "
        "está fue fueron ha hace hasta hay han he la las le les lo los más me mi mis mucho "
        "muy mí nada ni no nos nosotros nuestra nuestro o os otra otro para pero poco por "
        "porque puede pues que quien quién qué se sea ser será si sido sin sobre solo son soy "
        "su sus sí también tanto te tiene tienen todo todos tu tus tú un una uno unos "
        "vosotros y ya yo"
    ),
    "it": (
        "a ad agli ai al alla alle allo anche ancora avere aveva c che chi ci ciò coi col "
        "come con cosa così cui d da dagli dai dal dalla dalle dallo degli dei del dell della "
        "delle dello di dopo dov dove e è ed era erano essere fa fino fra già gli ha hai "
        "hanno ho i il in io l la le lei li lo loro lui ma me mi mia mie miei mio molto ne "
        "negli nei nel nell nella nelle nello no noi non nostra nostro o ogni ora perché però "
        "più poi prima può qual quale quali quando quanto quella quelle quelli quello questa "
        "queste questi questo qui quindi s sarà se sei senza si sia siamo siete solo sono sta "
        "stata stato su sua sue sugli sui sul sulla sulle sullo suo suoi ti tra tu tua tue "
        "tuo tutti tutto un una uno vi voi"
    ),
    "pt": (
        "a à ainda ao aos aquela aquele aquilo as às até cada com como da das de dela dele "
        "deles depois do dos e é ela elas ele eles em entre era eram essa esse esta estava "
        "este está estão eu foi foram há isso isto já lhe mais mas me mesmo meu meus minha "
        "muito na nas nem no nos nossa nosso nós não num numa o onde os ou para pela pelas "
        "pelo pelos pode por porque quais qual quando quanto que quem são se sem ser será seu "
        "seus si sim sobre só sua suas também te tem têm ter teu tinha todo todos tu tua tudo "
        "um uma umas uns vai vocês você"
    ),
    "nl": (
        "aan al alle alles als altijd ben bij daar dan dat de deze die dit doen door dus een "
        "en er ge geen had hebben heb hebt heeft hem het hier hij hoe hun ik in is ja je jij "
        "jou jouw jullie kan kunnen maar me meer met mij mijn moet moeten na naar niet niets "
        "nog nu of om omdat ons onze ook op over reeds te tegen toch toen tot u uit uw van "
        "veel voor waar waarom wanneer was wat we welke werd wie wij wil worden wordt zal ze "
        "zelf zich zij zijn zo zonder zou"
    ),
    "sv": (
        "alla allt att av blev bli blir då de deras dem den denna dess dessa det detta dig "
        "din dina ditt du där efter ej eller en er era ett från för ha hade han hans har "
        "henne hennes hon honom hur här i icke ingen inom inte jag ju kan kunde man med "
        "mellan men mig min mina mitt mot mycket ni nu när någon något några och om oss på "
        "samma sedan sig sin sina sitt ska skulle som så till under upp ut utan vad var vara "
        "varför varit vem vi vid vilka vilken vilket vill vår våra är över"
    ),
    "da": (
        "ad af alle alt anden at blev blive bliver da de dem den denne der deres det dette "
        "dig din dine disse dog du efter eller en end er et for fordi fra få ham han hans har "
        "havde have hende hendes her hos hun hvad hvem hver hvilken hvis hvor hvordan hvorfor "
        "hvornår i ikke ind ingen jeg jer jo kan kunne man mange med meget men mig min mine "
        "mit mod ned noget nogle nu når og også om op os over på selv sig sin sine sit skal "
        "skulle som så til ud under var ved vi vil ville vor være været"
    ),
    "no": (
        "alle alt at av bare ble bli blir både da de deg dei dem den denne der dere deres det "
        "dette di din disse ditt du eller en er et ett etter for fordi fra før ha hadde han "
        "hans har hennes her hos hun hva hvem hver hvilken hvis hvor hvordan hvorfor i ikke "
        "ingen inn jeg kan kom kunne man mange med meg meget men mellom mer min mine mitt mot "
        "mye må nei noe noen nå når og også om opp oss over på seg selv sin sine sitt skal "
        "skulle slik som så til under ut uten var vi vil ville vår være vært"
    ),
    "fi": (
        "ei eivät en ennen että haluaa he heidän heille hän hänelle hänen ilman itse ja jo "
        "joka jonka jos jossa jotka kaikki kanssa kenen koska kuin kuinka kuka kun kuten me "
        "meidän meille miksi mikä millä milloin minkä minne minua minulla minulle minun minä "
        "missä mitä mukaan mutta myös ne niiden niin nuo nyt näin nämä ole olen olet oli "
        "oliko olisi olivat olla on onko ovat pitää se sen siellä siinä sille sinulle sinun "
        "sinä sitten sitä tai te teidän tuo tuon tässä tämä tämän tätä vain vaan voi voin "
        "voivat vielä yli"
    ),
    "hu": (
        "a az abban ahhoz ahogy aki akik akkor alatt ami amely amelyek amikor annak arra "
        "azért azok azon azt azután be benne csak de e ebben egy egyes egyik éppen és ez ezek "
        "ezen ezt ezzel fel ha hanem hogy hogyan hol honnan hová igen ill illetve is itt kell "
        "ki kinek le legyen lehet lenne lesz maga majd már meg még mely melyik mennyi mert mi "
        "mikor milyen minden mit mint most nagyon ne neki nekem nem nincs nélkül oda olyan "
        "ott össze ő ők pedig s saját sem semmi sok számára szerint tehát te túl ugyan után "
        "vagy vagyok van vannak vele viszont volna volt voltak által át úgy így"
    ),
    "ro": (
        "a acea aceasta această aceea acel acela acele acelea acest acesta aceste acestea "
        "acești acum adică ai al ale am ar are as așa asta au avea avem bine ca când care cât "
        "câte căci ce cel cei cele chiar cine cu cum da dacă dar de deci deja despre din după "
        "e ea ei el ele era este eu fără face fi fie fost i iar ieri îi îl în între într îmi "
        "îți la le li lor lui mai mea mele meu mi mult ne nici noi noastră nostru nu o ori pe "
        "pentru peste poate prin s sa să sale sau se și spre sub sunt suntem ta tale tău te "
        "toate tot toți tu un una unde unei unele unor unui va vă vom voi vor"
    ),
    "tr": (
        "acaba ama ancak aslında az bana bazı belki ben benden beni benim bile bir biri "
        "birçok biz bizde bize bizi bizim bu buna bunda bundan bunlar bunları bunu bunun "
        "burada çok çünkü da daha dahi de değil diğer diye dolayı en gibi hangi hani hem "
        "henüz hep hepsi her hiç için ile ise kaç kadar kendi ki kim kime mi mı mu mü nasıl "
        "ne neden nerede niçin niye o olan olarak oldu olduğu olmak olsa olur on ona onda "
        "ondan onlar onların onu onun orada oysa rağmen sadece sana sen seni senin siz size "
        "sizi sizin sonra şey şu şuna tüm üzere var ve veya ya yani yok zaten"
    ),
    "pl": (
        "a aby albo ale ani bardzo bez bo by był była było były być będzie będą chce ci co "
        "czy czyli dla do dlaczego go gdy gdzie i ich ile im innych ja jak jaka jakie jaki "
        "jako je jednak jego jej jest jestem jeszcze jeśli już ją każdy kiedy kogo komu która "
        "które którego której który których którzy kto ku lub ma mam mamy mi mnie może moja "
        "moje mój my na nad nam nas nasz nasza nasze nawet nic nich nie niego niej niż no o "
        "od ona one oni ono oraz po pod podczas ponieważ poza przed przez przy się są sobie "
        "swoje ta tak także tam te tego tej ten teraz też to tobie tu tutaj twoja twój ty "
        "tych tylko tym u w wam was we wszystko więc z za ze że żeby"
    ),
    "cs": (
        "a aby ale ani ano až bez bude budou by byl byla byli bylo být co což či další do ho "
        "i já jak jaká jaké jako jaký je jeho její jejich jen jenž ještě ji jí jsem jsi jsme "
        "jsou jste již k kam každý kde kdo kdy když ke která které kterou který kteří ku "
        "kvůli ma mají mám máme mě mezi mi mít mne mně mnou mohl moje může můj my má na nad "
        "nám náš naše ne nebo něco není než nic nich nové o od on ona oni ono pak po pod "
        "podle pokud pouze proč pro protože před přes při s se si své svůj ta tady tak také "
        "tam te tě ten tedy tento teď to toho tomu tu tuto ty tím u už v vám vás váš ve více "
        "však vše všechno vy z za zda ze že"
    ),
    "id": (
        "ada adalah agar akan aku anda antara apa apakah atas atau bagaimana bagi bahwa "
        "banyak beberapa belum berapa bisa boleh bukan dalam dan dapat dari dengan di dia "
        "hanya harus hingga ia ingin ini itu jadi jangan jika juga kalau kami kamu kapan "
        "karena ke kepada ketika kita lagi lebih maka masih mengapa mereka mana namun oleh "
        "pada para pernah pun saat saja sangat sampai sana satu saya sebagai sebelum sebuah "
        "sedang sejak sekarang semua seperti setelah siapa sini sudah supaya tapi telah "
        "tentang terhadap tetapi tidak untuk yaitu yang"
    ),
    "ru": (
        "а без более бы был была были было быть в вам вас весь во вот все всё всего всех вы "
        "где да даже для до его ее её ей ему если есть еще ещё же за здесь и из или им их к "
        "как какая какие какой когда кого кому который кто куда ли либо мне может мой моя мы "
        "на над надо наш наша не него нее неё нет ни них но ну о об однако он она они оно от "
        "очень по под после потому почему при с сам свои свой своя себя сейчас со сколько так "
        "также такой там тебя тем то того тоже той только том ты у уже хотя чего чей чем "
        "через что чтобы чья эта эти этого этой этом этот эту я"
    ),
    "el": (
        "α αλλά αν ανά αντί από απο ας αυτά αυτές αυτή αυτό αυτοί αυτός αυτού αυτούς αυτών "
        "για γιατί δε δεν εάν εγώ εδώ εκεί εκείνη εκείνο εκείνος εμάς εμείς ένα ένας ενός "
        "εσείς εσύ ή η ήδη ήταν θα ίσως και κατά κάθε κι μα μας με μέχρι μετά μη μην μια μία "
        "μου να ο οι όμως όπου όπως όταν ότι όχι πιο ποια ποιο ποιος πόσο πότε που πού πριν "
        "προς πως πώς σαν σας σε στα στη στην στις στο στον στου στους στων συ τα τη την της "
        "τι τις το τον τότε του τους των ως είμαι είναι είχε έχει έχω έχουν"
    ),
    "ar": (
        "في من إلى على عن مع هذا هذه ذلك تلك هؤلاء التي الذي الذين ما ماذا متى أين كيف كم "
        "لماذا هل أن إن أنّ إنّ لأن كان كانت كانوا يكون تكون قد لقد سوف لا لم لن ليس ليست و أو "
        "ثم أم بل لكن حتى إذا لو عند عندما بعد قبل بين تحت فوق خلال منذ كل بعض أي أيضا فقط "
        "غير هو هي هم هن نحن أنا أنت أنتم له لها لهم لنا لي لك به بها فيه فيها منه منها عليه "
        "عليها إليه إليها كما هناك هنا نعم الآن سيكون وهو وهي ولا وقد"
    ),
    "fa": (
        "از است اما آن آنها آنچه ام اند او این اینجا اگر ای باید با بر برای بود بودند به بی "
        "بین پس تا تو چرا چند چه چون چیست خود خواهد خواهند در دو را شد شده شما کجا کدام کرد "
        "کرده کردند کسی که کنم کنند کنید کی ما مگر من می نه نیز نیست ها هر هم همه هست هستند "
        "هیچ و ولی وی یا یک یعنی دارد دارند داشت آیا"
    ),
    "hi": (
        "अगर अपना अपनी अपने अब आप आपका आपकी आपके इन इनके इस इसका इसकी इसके इसलिए उन उनका उनकी उनके "
        "उस उसका उसकी उसके एक और कब कभी कर करता करते करना करने करें कहाँ कहां का कि कितना कितनी कितने "
        "किस किसका किसी की कुछ के को कोई कौन कौनसा क्या क्यों गई गए गया जब जहाँ जा जाता जिस जो तक "
        "तब तो था थी थे दिया दो द्वारा न नहीं ने पर फिर बहुत बाद भी मगर मुझे में मेरा मेरी मेरे मैं यदि यह "
        "यहाँ या ये रहा रही रहे लिए लेकिन वह वहाँ वाला वाली वाले वे वो सब सभी साथ से हम हमारा हमारी "
        "हमारे हमें ही हुआ हुई हुए है हैं हो होगा होगी होता होती होते हूँ"
    ),
    "he": (
        "אבל או אותה אותו אותם אז אחרי אין איך איפה אל אלה אם אנחנו אני אשר את אתה אתם בין גם "
        "הוא היא היה היו הם הן הזה הזאת זה זו זאת זהו יש כאן כבר כי כל כמה כמו כן לא לה לו לי "
        "לך להם לנו למה לפני מה מי מן מתי עד עוד על עם עכשיו רק של שלה שלו שלי שלך שלנו שם"
    ),
    "ko": (
        "그 그가 그것 그것은 그녀 그는 그리고 그런 그러나 그런데 그래서 나 나는 내 내가 너 "
        "너는 네 누가 누구 다 더 또 또는 또한 때 때문에 를 무엇 및 수 아 아니 아니요 어느 "
        "어디 어디에 어디서 어떤 어떻게 언제 얼마 얼마나 왜 우리 우리는 이 이것 이것은 있는 "
        "있다 있습니다 있어요 있나요 없는 없다 저 저는 제 제가 좀 하고 하는 한 합니다 해요 "
        "했다 했습니다"
    ),
}
"""Stop words by the ISO 639-1 code of their language."""
