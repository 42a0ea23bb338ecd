use super::check;

#[test]
fn german() {
    check(&[
        ("am 7. Mai 2023", "7 May 2023"),
        ("Ich war gestern da", "9 May 2023"),
        ("vorgestern", "8 May 2023"),
        ("Ich komme morgen zu dir", "11 May 2023"),
        ("letzte Woche", "week of 1 May 2023"),
        ("nächsten Freitag", "19 May 2023"),
        ("vor drei Tagen", "7 May 2023"),
        ("in zwei Wochen", "week of 22 May 2023"),
        ("vor einem Jahr", "2022"),
        ("im Jahr 2022", "2022"),
        ("seit 2019", "2019 to 2023"),
        ("seit drei Jahren", "2020 to 2023"),
        ("von Mai bis Juli", "May 2023 to July 2023"),
        ("jeden Dienstag", "Weekday { day: 2, weeks: 1 }"),
        ("dienstags", "Weekday { day: 2, weeks: 1 }"),
        ("in den 90er Jahren", "1990s"),
        ("Anfang Mai", "~May 2023"),
        ("letzten Sommer", "summer 2022"),
        ("heute Abend", "10 May 2023 17:00 to 23:00"),
        ("im März", "March 2023"),
        ("gestern um 15 Uhr", "9 May 2023 15:00"),
    ]);
}

#[test]
fn french() {
    check(&[
        ("le 7 mai 2023", "7 May 2023"),
        ("le 1er janvier 2022", "1 January 2022"),
        ("hier j'ai mangé avec elle", "9 May 2023"),
        ("avant-hier", "8 May 2023"),
        ("aujourd'hui", "10 May 2023"),
        ("demain", "11 May 2023"),
        ("la semaine dernière", "week of 1 May 2023"),
        ("l'année dernière", "2022"),
        ("le mois prochain", "June 2023"),
        ("il y a trois jours", "7 May 2023"),
        ("dans deux semaines", "week of 22 May 2023"),
        ("vendredi dernier", "5 May 2023"),
        ("en 2022", "2022"),
        ("depuis 2019", "2019 to 2023"),
        ("de mai à juillet", "May 2023 to July 2023"),
        ("tous les mardis", "Weekday { day: 2, weeks: 1 }"),
        ("chaque semaine", "Every { count: 1, unit: Week }"),
        ("les années 90", "1990s"),
        ("début mai", "~May 2023"),
        ("l'été dernier je suis allé à Nice", "summer 2022"),
    ]);
}

#[test]
fn spanish() {
    check(&[
        ("el 7 de mayo de 2023", "7 May 2023"),
        ("ayer", "9 May 2023"),
        ("anteayer", "8 May 2023"),
        ("anoche", "night of 9 May 2023"),
        ("mañana voy con ella", "11 May 2023"),
        ("pasado mañana", "12 May 2023"),
        ("la semana pasada", "week of 1 May 2023"),
        ("el año pasado", "2022"),
        ("el próximo viernes", "19 May 2023"),
        ("hace tres días", "7 May 2023"),
        ("dentro de dos semanas", "week of 22 May 2023"),
        ("en 2022", "2022"),
        ("en enero", "January 2023"),
        ("desde 2019", "2019 to 2023"),
        ("cada martes", "Weekday { day: 2, weeks: 1 }"),
        ("el verano pasado", "summer 2022"),
        ("los años 90", "1990s"),
    ]);
}

#[test]
fn portuguese_and_italian() {
    check(&[
        ("7 de maio de 2023", "7 May 2023"),
        ("ontem", "9 May 2023"),
        ("anteontem", "8 May 2023"),
        ("amanhã", "11 May 2023"),
        ("na semana passada", "week of 1 May 2023"),
        ("no ano passado", "2022"),
        ("há três dias", "7 May 2023"),
        ("três dias atrás", "7 May 2023"),
        ("daqui a duas semanas", "week of 22 May 2023"),
        ("toda terça-feira", "Weekday { day: 2, weeks: 1 }"),
        ("desde 2019", "2019 to 2023"),
        ("verão passado", "summer 2022"),
        ("il 7 maggio 2023", "7 May 2023"),
        ("ieri", "9 May 2023"),
        ("l'altro ieri", "8 May 2023"),
        ("domani", "11 May 2023"),
        ("la settimana scorsa", "week of 1 May 2023"),
        ("l'anno scorso", "2022"),
        ("tre giorni fa sono andato", "7 May 2023"),
        ("tra due settimane", "week of 22 May 2023"),
        ("venerdì scorso", "5 May 2023"),
        ("ogni martedì", "Weekday { day: 2, weeks: 1 }"),
        ("stasera", "10 May 2023 17:00 to 23:00"),
        ("nel 2022", "2022"),
        ("estate scorsa", "summer 2022"),
    ]);
}

#[test]
fn dutch_and_polish() {
    check(&[
        ("op 7 mei 2023", "7 May 2023"),
        ("gisteren", "9 May 2023"),
        ("eergisteren", "8 May 2023"),
        ("vorige week", "week of 1 May 2023"),
        ("afgelopen vrijdag", "5 May 2023"),
        ("volgend jaar", "2024"),
        ("drie dagen geleden", "7 May 2023"),
        ("sinds 2019", "2019 to 2023"),
        ("elke dinsdag", "Weekday { day: 2, weeks: 1 }"),
        ("vanavond", "10 May 2023 17:00 to 23:00"),
        ("van mei tot juli", "May 2023 to July 2023"),
        ("7 maja 2023 kupiłem dom", "7 May 2023"),
        ("wczoraj", "9 May 2023"),
        ("przedwczoraj", "8 May 2023"),
        ("jutro", "11 May 2023"),
        ("w zeszłym tygodniu", "week of 1 May 2023"),
        ("w zeszłym roku", "2022"),
        ("trzy dni temu", "7 May 2023"),
        ("tydzień temu", "week of 1 May 2023"),
        ("za dwa tygodnie", "week of 22 May 2023"),
        ("w piątek", "5 May 2023"),
        ("w styczniu", "January 2023"),
        ("w 2022 roku", "2022"),
    ]);
}

#[test]
fn russian() {
    check(&[
        ("7 мая 2023 года", "7 May 2023"),
        ("вчера", "9 May 2023"),
        ("позавчера", "8 May 2023"),
        ("завтра", "11 May 2023"),
        ("на прошлой неделе", "week of 1 May 2023"),
        ("в прошлом году", "2022"),
        ("три дня назад", "7 May 2023"),
        ("неделю назад", "week of 1 May 2023"),
        ("через две недели", "week of 22 May 2023"),
        ("в прошлую пятницу", "5 May 2023"),
        ("каждый вторник", "Weekday { day: 2, weeks: 1 }"),
        ("в 2022 году", "2022"),
        ("с 2019 года", "2019 to 2023"),
        ("с мая по июль", "May 2023 to July 2023"),
        ("прошлым летом", "summer 2022"),
        ("в январе", "January 2023"),
    ]);
}

#[test]
fn chinese() {
    check(&[
        ("我2023年5月7日去了北京", "7 May 2023"),
        ("五月七日", "7 May 2023"),
        ("昨天我很忙", "9 May 2023"),
        ("前天", "8 May 2023"),
        ("明天见", "11 May 2023"),
        ("上周五", "5 May 2023"),
        ("上个月", "April 2023"),
        ("去年", "2022"),
        ("三天前", "7 May 2023"),
        ("两周前", "week of 24 April 2023"),
        ("两周后", "week of 22 May 2023"),
        ("2022年", "2022"),
        ("每天", "Every { count: 1, unit: Day }"),
        ("每周二", "Weekday { day: 2, weeks: 1 }"),
        ("去年五月", "May 2022"),
        ("90年代", "1990s"),
        ("昨晚", "night of 9 May 2023"),
        ("2019年到2021年", "2019 to 2021"),
    ]);
}

#[test]
fn japanese_and_korean() {
    check(&[
        ("2023年5月7日に会いました", "7 May 2023"),
        ("昨日は忙しかった", "9 May 2023"),
        ("一昨日", "8 May 2023"),
        ("明日行きます", "11 May 2023"),
        ("先週の金曜日", "5 May 2023"),
        ("先週", "week of 1 May 2023"),
        ("来月", "June 2023"),
        ("去年の夏", "summer 2022"),
        ("3日前", "7 May 2023"),
        ("2週間前", "week of 24 April 2023"),
        ("3ヶ月前", "February 2023"),
        ("毎週火曜日", "Weekday { day: 2, weeks: 1 }"),
        ("毎日", "Every { count: 1, unit: Day }"),
        ("5月から7月まで", "May 2023 to July 2023"),
        ("1990年代", "1990s"),
        ("2023년 5월 7일에 만났어요", "7 May 2023"),
        ("어제 만났어요", "9 May 2023"),
        ("그저께", "8 May 2023"),
        ("내일 갈게요", "11 May 2023"),
        ("지난주 금요일", "5 May 2023"),
        ("지난주에", "week of 1 May 2023"),
        ("다음 달", "June 2023"),
        ("작년 여름", "summer 2022"),
        ("3일 전에", "7 May 2023"),
        ("2주 전", "week of 24 April 2023"),
        ("매주 화요일", "Weekday { day: 2, weeks: 1 }"),
    ]);
}
