import { chromium } from 'playwright-core';
const [,, file, w, scheme, y, h]=process.argv;
const b=await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox']});
const p=await b.newPage({viewport:{width:+w,height:+h},colorScheme:scheme}); await p.goto('file://'+process.cwd()+'/tmp/'+file+'.html');
await p.evaluate(y=>scrollTo(0,y),+y); await p.screenshot({path:'tmp/clip.png'}); await b.close();
