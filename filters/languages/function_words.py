"""Frequent words that one language writes and the languages around it do not.

The cheap half of telling languages of one script apart (`detector.py` is the other): a sentence in
which every eighth word is a word of the target's list, and none of another's, needs no library.
The lists lean to what worked solutions say. They are no dictionaries: a word that stands in none
says nothing.

Every word was held against the texts of twenty languages of its script (messages of free software
and GSM8K): what is at all frequent in a second language (`is` and `we` in Dutch, `de` in half of
Europe, `come` in English) was left out, and a test keeps the lists apart.
"""

from __future__ import annotations

from functools import cache
from typing import Final

FUNCTION_WORDS: Final[dict[str, dict[str, str]]] = {
    "Latin": {
        "en": """the and that this these those which were been being with from has than then
            there their they them she his it its you your because since let would could should
            how many much what when where each both first next therefore thus hence more only
            other into about after before while we'll let's it's that's can cannot must does did
            think need needs know wait yes maybe perhaps actually again right wrong same
            different number numbers find found gives gets make makes equals equal value values
            answer step steps left one two three four five six seven eight nine twice times
            divide divided multiply multiplied adding subtract subtracting but now just some
            every who our we'd we've don't doesn't isn't there's here's i'm i'll means compute
            calculate suppose using alright days minutes hours weeks years miles hour people
            money students pounds feet bought old year takes buy buys books costs sold spent
            apples pieces dollars pay paid together spend spends wants friends boxes gave square
            working between less took cups distance months seconds length another through
            combined remaining children away day month around already following going went used
            price made him sells earned earns cents shirts eggs cookies cars trees bags tickets
            gallons solution calculating dividing multiplying giving getting taking finding
            received whole quarter twelve twenty percent consider denote follows divides above
            below integers vertices sides""",
        "es": """unos unas pero entonces cuando cuánto cuánta cuántos cuántas cómo también muy
            esto eso estos estas ese esa tiene tenemos tengo tienen puede puedo siendo fue están
            hacer hacemos hasta donde dónde según así ahora luego después primero tres cuatro
            siete ocho nueve diez mitad doble respuesta pregunta suma decir obtenemos restamos
            sumamos necesito necesitamos qué cuál cuáles déjame bien creo quizás otra otro mismo
            misma veces quedan hallar días cuesta cuestan aquí además siguiente obtengo sé
            comprobemos comprobar verifiquemos hallemos ello averiguar restantes ecuación
            ecuaciones solución soluciones cifras dinero estudiantes escuela niños niñas años
            tenía compró vendió precio raíz cuadrado cuadrada triángulo ángulo fracción
            fracciones ninguno sumando restando restar dividiendo hallamos cantidad pagó sabiendo
            manzana manzanas ecuacion probabilidad velocidad distancia producto paso pasos
            ejemplo obtiene tenga hallando rojas rojos azules llamemos gastó ganó vendieron
            compraron""",
        "de": """und ist nicht wir sich auf für mit ein eine einen einem einer eines sind wird
            werden wurde auch aber oder wenn dann weil dass daß wie viele viel zum zur bei nach
            aus über unter zwischen durch ohne bis noch nur schon sehr sie haben habe hatte
            können kann muss müssen sollte jetzt dort diese dieser dieses diesem diesen jede
            jeder jedes zuerst zunächst danach daher deshalb somit folglich damit dabei zwei drei
            fünf sechs sieben neun zehn hälfte doppelt zahl zahlen anzahl wert antwort lösung
            aufgabe gleichung summe ergibt erhält erhalten gilt gleich seien ist's warte nochmal
            vielleicht richtig falsch gesamt seite seiten geteilt setzen berechnen wissen bleibt
            bleiben kostet kosten vom beim ihr ihre sein seine keine kein werde wäre hätte würde
            jeweils übrig restlichen insgesamt stimmt prüfen überprüfen berechne rechnen wobei
            sodass denn etwa bereits""",
        "fr": """une est sont dans avec pas nous vous ils elles elle cet cette ces quoi où donc
            alors puis ensuite ainsi parce comme aussi très moins chaque combien quand comment
            tout tous toute toutes avons avez ont était être avoir fait peut peuvent pouvons doit
            doivent faut deux trois quatre cinq sept huit neuf dix moitié valeur réponse somme
            égal égale côté côtés équation problème obtient obtenons calcule calculons savons
            d'abord c'est d'où qu'il qu'elle qu'on l'on n'est j'ai reste restent après avant
            attendez vérifions vérifie maintenant ici leur leurs étape fois jour jours heures
            coûte coûtent notons soit puisque chacun chacune donne donnent vaut avait étaient
            trouver vérifier reçoit équations chiffre chiffres argent élèves école enfants prix
            carré racine pommes pomme acheté vendu probabilité vitesse produit résultat étapes
            exemple diviser divisé multiplier multiplié soustraire additionne additionner ajoute
            multiplions soustrayons trompé précédente précédent membres crois suis élever hauteur
            billet billets façon logique d'accord donnée trouve trouvons""",
        "pt": """uma uns umas mas então quantos quantas muito isto isso esse essa há tem temos
            tenho têm pode são foi foram estão fazer até onde assim agora depois duas três quatro
            sete oito dez metade dobro resposta pergunta soma portanto obtemos subtraímos preciso
            precisamos lhe seu seus suas ao aos às sem pelo pela qual quais bem acho talvez outra
            outro mesmo mesma você ela eles não numa vezes restam sobra sobram dias custa custam
            seja também obtém descobrir ainda além seguinte equação equações solução soluções
            algarismos dinheiro alunos escola crianças anos preço raiz quadrado triângulo ângulo
            fração frações ninguém comprou vendeu tinha sobraram chamemos quantidade pagou
            sabendo dividindo somando subtraindo bilhete bilhetes maçã maçãs probabilidade
            velocidade distância produto passo passos exemplo faz dão dá gastou ganhou vermelhas
            vermelhos fica ficam""",
        "it": """perché quindi allora ogni quanti quante anche più molto questo questa questi
            queste quello quella c'è ci sono abbiamo ho hanno può possiamo essere stato fatto
            fino dove così adesso dopo poi uguale quattro cinque otto dieci metà doppio numeri
            valore risposta domanda somma lato lati entrambi perciò pertanto dunque cioè
            otteniamo calcoliamo sappiamo moltiplichiamo dividiamo sottraiamo devo dobbiamo suo
            suoi ai allo della dei delle dello nel nella nei nelle senza quale quali aspetta bene
            giusto credo forse altra altro stesso stessa tutto tutti tutte dalla dai sul sulla
            un'altra volte restano rimane rimangono giorni costa costano sia trovare verifichiamo
            vediamo calcolo rimanenti inoltre seguente ancora poiché verificare equazione
            equazioni soluzione soluzioni cifre soldi studenti scuola bambini anni prezzo radice
            quadrato triangolo angolo frazione mele mela comprato venduto aveva rimasti rimaste
            probabilità velocità distanza prodotto risultato passaggio esempio dividere
            moltiplicare moltiplicato sommare sottrarre biglietto biglietti potrei usare sapendo
            ottiene dà""",
        "nl": """het een niet wij zijn wordt worden werd maar dus omdat hoeveel veel voor bij
            naar uit tussen zonder nog alleen heeft hebben kunnen moet moeten daar deze dit elke
            eerst daarna daarom twee drie vijf zes zeven negen tien helft getal getallen aantal
            waarde antwoord vraag geeft krijgen weten ik hij zij hun haar geen ook wacht
            misschien""",
    },
    "Cyrillic": {
        "ru": """что это если поэтому она они его её мы он был была были быть есть нет уже ещё
            еще только также когда чтобы потому значит следовательно тогда затем теперь сначала
            каждый каждая каждое каждого сколько четыре пять шесть семь восемь девять количество
            сумма значение ответ вопрос равен равны получаем получим нужно надо можно пусть обе
            обеих часть части вычтем подождите проверим возможно вместе всего остаётся остается
            осталось дня дней часов часа рублей стоит кажется хорошо итак найти найдём найдем
            проверить каждом остальных поскольку который которая которые сложим разделим
            получается стоимость скорость площадь треугольника треугольник яблок яблока учеников
            билетов билета книг деньги денег друзей поезд остаток делится цифр чётное нечётное
            вероятность шариков уравнения неравенство пути возведём возвести ошибся предыдущем
            сложить разделить вычесть каждому общее общий одной цене""",
        "uk": """що це якщо із тому вона вони його її їх ми він був була було були бути немає вже
            тільки також коли де щоб отже тоді потім тепер спочатку після кожен кожна кожне
            кожного скільки дві чотири п'ять шість сім вісім дев'ять кількість значення відповідь
            питання рівняння дорівнює отримаємо знаємо потрібно нехай обидві частини помножимо
            зачекайте перевіримо можливо разом всього залишилося днів годин знайти перевірити
            який яка оскільки які""",
        "bg": """че това така със във тя те му им ние вие беше бяха бъде вече още също когато
            където защото значи следователно тогава сега първо след всеки всяка всяко колко
            четири пет шест седем осем девет десет половината числото числата брой сумата
            стойност отговор отговорът въпрос получаваме трябва нека двете чакай""",
    },
    "Arabic": {
        "ar": """في من على إلى عن مع هذا هذه ذلك تلك التي الذي هو هي نحن أن إن لأن كان كانت يكون
            ليس لا لم لن قد كل عند بين ثم أو أي إذا إذن لذلك لذا كم العدد المجموع قيمة الإجابة
            الجواب السؤال المسألة المعادلة يساوي تساوي نحصل نعلم نحسب يجب يمكن لدينا لديه لديها
            اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة ضعف أيضًا الآن أولًا ثانيًا حسنًا
            انتظر وهو وهي وبالتالي فإن لكن المثلث مساحة الطرفين نضرب نقسم نجمع نطرح التفاحات سرعة
            الساعة ساعات الطلاب الكتب المال احتمال بقي يبقى نفسه الخطوة القسمة باقي بما دون أجل
            يمكننا لنفرض بالتعويض""",
        "fa": """در از به با را که این است هست بود باید می برای تا یا اگر چون پس هر او آنها آن‌ها
            چند تعداد پاسخ جواب سوال مسئله معادله برابر بنابراین داریم می‌شود می‌کنیم می‌دانیم
            می‌توانیم دو سه چهار پنج شش هفت هشت نه ده حالا اول سپس همچنین نیز کنیم کنم شده خب
            صبر""",
    },
    "Devanagari": {
        "hi": """है हैं की के में से को और वह मैं भी नहीं कि जो था थी थे करते करने किया गया लिए
            बाद पहले अब फिर इसलिए अतः यदि अगर क्योंकि लेकिन यहाँ कितने कितनी कितना दो पाँच छह नौ
            आधा योग मान बराबर हमें इसका उसका सभी दोनों रुको संख्याओं अंकों समीकरण जोड़ने जोड़ते
            घटाने गुणा मिलता मिलते आते रुपये घंटे सेब बच्चों छात्रों हुए हुआ हुई वाले वाली रहा
            रही रहे चाहिए सकता सकते सकती लगता करना होना पास उन्हें जिससे कुल""",
        "mr": """आहे आहेत नाही आणि किंवा हे ही हा ती ते आपण मी मला म्हणून कारण परंतु प्रथम नंतर
            किती दोन पाच सहा नऊ दहा अर्धा बेरीज किंमत आपल्याला त्याचा तिचा त्या सर्व थांबा असतो
            असते असेल करतो करू शकतो गुणिले""",
    },
}
"""Script, language, words: all in lower case."""


SHARED_WORDS: Final[dict[str, str]] = {
    "en": "is to of in for are he had her was or by be an as on at so will if have all we hmm okay",
    "es": "el los las del con su sus por más es son cada número lo porque primero hay está",
    "fr": "le les des du un pour ne sur dans on au aux par qui que cela plus ces son donc",
    "pt": "os do dos na das um com não cada mais dois é à da",
    "it": "il di gli un una per non con del si al alla nel che come sono ha ogni è",
}
"""Frequent words of a language that a few others write too: three of them say as much as one of
the above."""


@cache
def shared(language: str) -> frozenset[str]:
    """The shared words of a language, also capitalised."""
    words = SHARED_WORDS.get(language, "").split()
    return frozenset([*words, *(word.capitalize() for word in words)])


@cache
def owners(script: str) -> dict[str, str]:
    """Language of every listed word of a script; also capitalised, as sentences begin."""
    lower = {
        word: language
        for language, words in FUNCTION_WORDS.get(script, {}).items()
        for word in words.split()
    }
    return lower | {word.capitalize(): language for word, language in lower.items()}
