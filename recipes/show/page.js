for(const table of document.querySelectorAll("table.sort")){const heads=[...table.tHead.rows[0].cells];
heads.forEach((head,i)=>{const button=document.createElement("button");
button.type="button";button.append(...head.childNodes);head.append(button);button.onclick=()=>{const up=head.getAttribute("aria-sort")!=="ascending";
heads.forEach(h=>h.removeAttribute("aria-sort"));
head.setAttribute("aria-sort",up?"ascending":"descending");const key=row=>{const cell=row.cells[i],data=cell.querySelector("data");
return data?Number(data.value):cell.textContent.trim()};
const body=table.tBodies[0];body.append(...[...body.rows].sort((a,b)=>{const x=key(a),y=key(b);
const by=typeof x==="number"&&typeof y==="number"?x-y:String(x).localeCompare(String(y));return up?by:-by}))}})}
